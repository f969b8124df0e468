#include <ctype.h>
#include <errno.h>
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/mem.h"
#include "command/command.h"

static const char text[] =
    "-- What runs, as values: `bkdeploy render .` prints it as YAML, `bkdeploy check .` finds "
    "mistakes,\n"
    "-- `bkdeploy apply .` puts it on the cluster of your kubeconfig and waits until it runs.\n"
    "local bk = require \"bk\"\n"
    "\n"
    "return bk.profile \"%s\" {\n"
    "    -- One set of values for each environment; `-e prod` chooses one.\n"
    "    default = \"dev\",\n"
    "    environments = {\n"
    "        dev = { replicas = 1, host = \"%s.dev.example.com\" },\n"
    "        prod = { replicas = 3, host = \"%s.example.com\" },\n"
    "    },\n"
    "    components = function(env)\n"
    "        -- A ConfigMap. Who reads it holds it, so there is no name to write wrong.\n"
    "        local page = bk.config \"page\" { [\"index.html\"] = \"<h1>Hello from \" .. env.name "
    ".. \"</h1>\\n\" }\n"
    "\n"
    "        local web = bk.deployment \"web\" {\n"
    "            image = \"nginx:1.27\",\n"
    "            replicas = env.replicas,\n"
    "            ports = { http = 80 }, -- of the container, and of its Service\n"
    "            readiness = bk.http \"/\",\n"
    "            resources = { cpu = \"50m..200m\", memory = \"32Mi..64Mi\" }, -- request..limit\n"
    "            files = { [\"/usr/share/nginx/html\"] = page },\n"
    "            ingress = { host = env.host },\n"
    "        }\n"
    "        return { web }\n"
    "    end,\n"
    "}\n";

/* A profile's name from its folder's: small letters, digits and '-'. The caller's to free. */
static char *name_of(const char *folder)
{
    char real[PATH_MAX];
    const char *slash = realpath(folder, real) ? strrchr(real, '/') : NULL;
    char *name = xstrdup(slash && slash[1] ? slash + 1 : "profile");
    size_t length = 0;
    for (const char *c = name; *c && length < 40; c++) {
        char small = (char)tolower((unsigned char)*c);
        bool plain = (small >= 'a' && small <= 'z') || (small >= '0' && small <= '9');
        if (plain || (length && name[length - 1] != '-'))
            name[length++] = (char)(plain ? small : '-');
    }
    while (length && name[length - 1] == '-')
        length--;
    name[length] = '\0';
    if (length)
        return name;
    free(name);
    return xstrdup("profile");
}

int command_init(const struct options *options, struct err *err)
{
    const char *folder = options->script.path;
    char *path = xasprintf("%s/profile.lua", folder), *name = NULL, *profile = NULL;
    int result = mkdir(folder, 0777) == 0 || errno == EEXIST
                     ? 0
                     : err_set(err, ERR_FAILED, "%s: %s", folder, strerror(errno));
    if (result == 0) {
        name = name_of(folder);
        profile = xasprintf(text, name, name, name);
        result = file_create(path, profile, strlen(profile), err);
    }
    if (result == 0 && options->output) {
        json_t *document = json_pack("{s:[s]}", "files", path);
        json_dumpf(document, stdout, JSON_INDENT(2));
        json_decref(document);
        putchar('\n');
    } else if (result == 0) {
        printf("%s\n", path);
    }
    free(profile);
    free(name);
    free(path);
    return result;
}
