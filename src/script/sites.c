#include "script/sites.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"

char *sites_rewrite(struct sites *sites, const char *file, const char *text, size_t length,
                    size_t *out_length)
{
    sites->profile.first = embedded_sites_count;
    return trace_rewrite(&sites->profile, file, text, length, out_length);
}

static struct trace *trace_of(struct sites *sites, const struct embedded_module *module)
{
    if (!sites->modules) {
        sites->modules = xmalloc(embedded_modules_count * sizeof *sites->modules);
        for (size_t i = 0; i < embedded_modules_count; i++)
            sites->modules[i] = (struct trace){ .first = embedded_modules[i].first_site };
    }
    return &sites->modules[module - embedded_modules];
}

char *sites_rewrite_module(struct sites *sites, const struct embedded_module *module,
                           size_t *out_length)
{
    struct trace *trace = trace_of(sites, module);
    char file[64];
    snprintf(file, sizeof file, "=[%s]", module->name);
    trace_release(trace);
    return trace_rewrite(trace, file, (const char *)module->source, module->source_length,
                         out_length);
}

static const struct embedded_module *module_with(size_t number)
{
    for (size_t i = 0; i < embedded_modules_count; i++) {
        const struct embedded_module *module = &embedded_modules[i];
        if (number >= module->first_site && number - module->first_site < module->sites_count)
            return module;
    }
    return NULL;
}

const struct trace_site *sites_at(struct sites *sites, size_t number)
{
    const struct embedded_module *module = module_with(number);
    const struct trace *trace = module ? trace_of(sites, module) : &sites->profile;
    if (module && trace->count == 0) {
        size_t ignored;
        free(sites_rewrite_module(sites, module, &ignored));
    }
    /* In a trace without sites `first` may be unset. */
    return number >= trace->first && number - trace->first < trace->count
               ? &trace->sites[number - trace->first]
               : NULL;
}

void sites_release(struct sites *sites)
{
    for (size_t i = 0; sites->modules && i < embedded_modules_count; i++)
        trace_release(&sites->modules[i]);
    free(sites->modules);
    trace_release(&sites->profile);
    *sites = (struct sites){ 0 };
}
