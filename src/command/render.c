#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "command/command.h"
#include "object/mask.h"
#include "object/yaml.h"

/* All objects of a profile as a v1 List, which kubectl reads. A new reference. */
static json_t *as_list(const struct profile *profile)
{
    json_t *items = json_array();
    for (size_t i = 0; i < profile->count; i++)
        json_array_extend(items, profile->components[i].objects);
    return json_pack("{s:s, s:s, s:o}", "apiVersion", "v1", "kind", "List", "items", items);
}

static void hide_secrets(const struct profile *profile, bool show)
{
    for (size_t i = 0; i < profile->count; i++) {
        size_t k;
        json_t *object;
        json_array_foreach(profile->components[i].objects, k, object)
            mask_secret(object, show);
    }
}

static int print_yaml(struct buf *out, const struct profile *profile, struct err *err)
{
    for (size_t i = 0; i < profile->count; i++) {
        size_t k;
        json_t *object;
        json_array_foreach(profile->components[i].objects, k, object) {
            if (yaml_emit(out, object, err) != 0)
                return err_wrap(err, "component '%s'", profile->components[i].name);
        }
    }
    return 0;
}

int command_render(const struct options *options, struct err *err)
{
    struct profile profile;
    struct buf out = BUF_INIT;
    int result = 0;
    if (script_eval(&options->script, &profile, err) != 0)
        return -1;
    hide_secrets(&profile, options->show_secrets);
    if (options->output && strcmp(options->output, "json") == 0) {
        json_t *list = as_list(&profile);
        char *text = json_dumps(list, JSON_INDENT(2) | JSON_REAL_PRECISION(17));
        buf_adds(&out, text);
        buf_adds(&out, "\n");
        free(text);
        json_decref(list);
    } else {
        result = print_yaml(&out, &profile, err);
    }
    if (result == 0 && (fwrite(buf_text(&out), 1, out.len, stdout) != out.len || fflush(stdout)))
        result = err_set(err, ERR_FAILED, "cannot write to standard output");
    buf_release(&out);
    profile_release(&profile);
    return result;
}
