#include "object/quantity.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *suffix;
    double factor;
} suffixes[] = {
    { "n", 1e-9 },    { "u", 1e-6 },    { "m", 1e-3 },    { "", 1 },
    { "k", 1e3 },     { "M", 1e6 },     { "G", 1e9 },     { "T", 1e12 },
    { "P", 1e15 },    { "E", 1e18 },    { "Ki", 1024.0 }, { "Mi", 0x1p20 },
    { "Gi", 0x1p30 }, { "Ti", 0x1p40 }, { "Pi", 0x1p50 }, { "Ei", 0x1p60 },
};

double quantity_value(const char *text)
{
    char *end;
    double number = strtod(text, &end); /* takes an exponent, too; "1E" is read as 1 and "E" */
    for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++)
        if (end != text && strcmp(end, suffixes[i].suffix) == 0)
            return number * suffixes[i].factor;
    return 0;
}

int quantity_compare(const char *a, const char *b)
{
    double left = quantity_value(a), right = quantity_value(b);
    return (left > right) - (left < right);
}
