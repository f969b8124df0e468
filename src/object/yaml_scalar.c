#include "object/yaml_scalar.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "base/base64.h"
#include "base/mem.h"

#define DIGITS "0123456789"

static const struct {
    enum yaml_scalar_type type;
    double number;
    const char *texts[10];
} words[] = {
    { YAML_SCALAR_NULL, 0, { "", "~", "null", "Null", "NULL" } },
    { YAML_SCALAR_BOOL, 1, { "true", "True", "TRUE", "yes", "Yes", "YES", "y", "Y" } },
    { YAML_SCALAR_BOOL, 1, { "on", "On", "ON" } },
    { YAML_SCALAR_BOOL, 0, { "false", "False", "FALSE", "no", "No", "NO", "n", "N" } },
    { YAML_SCALAR_BOOL, 0, { "off", "Off", "OFF" } },
    { YAML_SCALAR_REAL, NAN, { ".nan", ".NaN", ".NAN" } },
    { YAML_SCALAR_REAL, HUGE_VAL, { ".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF" } },
    { YAML_SCALAR_REAL, -HUGE_VAL, { "-.inf", "-.Inf", "-.INF" } },
};

/* ---- numbers ---- */

/* Go's ParseInt and ParseUint with base 0: 12, 014, 0o14, 0xC, 0b1100 and a sign. */
static bool read_integer(const char *text, struct yaml_scalar *scalar)
{
    const char *digits = text + (*text == '-' || *text == '+');
    const char *allowed = DIGITS;
    int base = 10;
    if (digits[0] == '0' && digits[1] != '\0') {
        base = 8;
        allowed = "01234567";
        digits++;
        if (*digits == 'x' || *digits == 'X') {
            base = 16;
            allowed = DIGITS "abcdefABCDEF";
        } else if (*digits == 'b' || *digits == 'B') {
            base = 2;
            allowed = "01";
        }
        digits += base != 8 || *digits == 'o' || *digits == 'O';
    }
    if (!*digits || digits[strspn(digits, allowed)] != '\0')
        return false;
    errno = 0;
    unsigned long long magnitude = strtoull(digits, NULL, base);
    unsigned long long most = (unsigned long long)LLONG_MAX + (*text == '-');
    if (errno != 0 || (magnitude > most && (*text == '-' || *text == '+')))
        return false;
    scalar->type = magnitude > most ? YAML_SCALAR_UNSIGNED : YAML_SCALAR_INTEGER;
    scalar->magnitude = magnitude;
    if (scalar->type == YAML_SCALAR_INTEGER)
        scalar->integer =
            *text == '-' && magnitude ? -(long long)(magnitude - 1) - 1 : (long long)magnitude;
    return true;
}

/* [-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)? that a double can hold. */
static bool read_real(const char *text, struct yaml_scalar *scalar)
{
    const char *c = text + (*text == '-' || *text == '+');
    size_t whole = strspn(c, DIGITS), fraction = 0;
    c += whole;
    if (*c == '.') {
        fraction = strspn(c + 1, DIGITS);
        c += 1 + fraction;
    }
    if (whole + fraction == 0)
        return false;
    if (*c == 'e' || *c == 'E') {
        c++;
        c += *c == '-' || *c == '+';
        size_t exponent = strspn(c, DIGITS);
        if (exponent == 0)
            return false;
        c += exponent;
    }
    if (*c != '\0')
        return false;
    double real = strtod(text, NULL);
    if (isinf(real))
        return false;
    scalar->type = YAML_SCALAR_REAL;
    scalar->real = real;
    return true;
}

/* Go's rule for a number that begins with a point: each '_' stands between two digits. */
static bool underscores_between_digits(const char *text)
{
    for (const char *c = text; (c = strchr(c, '_')); c++)
        if (c == text || c[1] == '\0' || !strchr(DIGITS, c[-1]) || !strchr(DIGITS, c[1]))
            return false;
    return true;
}

/* A copy without '_', the caller's. */
static char *without_underscores(const char *text)
{
    char *copy = xmalloc(strlen(text) + 1), *end = copy;
    for (; *text; text++)
        if (*text != '_')
            *end++ = *text;
    *end = '\0';
    return copy;
}

static bool find_word(const char *text, struct yaml_scalar *scalar)
{
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        for (const char *const *word = words[i].texts; *word; word++) {
            if (strcmp(text, *word) != 0)
                continue;
            scalar->type = words[i].type;
            scalar->truth = words[i].number == 1;
            scalar->real = words[i].number;
            return true;
        }
    }
    return false;
}

void yaml_scalar_resolve(const char *text, struct yaml_scalar *scalar)
{
    *scalar = (struct yaml_scalar){ .type = YAML_SCALAR_STRING };
    if (find_word(text, scalar))
        return;
    bool point = *text == '.';
    if (!strchr("+-." DIGITS, *text) || (point && !underscores_between_digits(text)))
        return;
    char *number = without_underscores(text);
    if (point || !read_integer(number, scalar))
        read_real(number, scalar);
    free(number);
}

const char *yaml_scalar_read(const char *text, const char *tag, bool plain,
                             struct yaml_scalar *scalar)
{
    *scalar = (struct yaml_scalar){ .type = YAML_SCALAR_STRING };
    if (tag ? strcmp(tag, YAML_STR_TAG) == 0 || strcmp(tag, "!") == 0 : !plain)
        return NULL;
    yaml_scalar_resolve(text, scalar);
    if (!tag)
        return NULL;
    if (strcmp(tag, YAML_NULL_TAG) == 0)
        return scalar->type == YAML_SCALAR_NULL ? NULL : "!!null before something else";
    if (strcmp(tag, YAML_BOOL_TAG) == 0)
        return scalar->type == YAML_SCALAR_BOOL ? NULL : "!!bool before something else";
    bool integer = scalar->type == YAML_SCALAR_INTEGER;
    if (strcmp(tag, YAML_INT_TAG) == 0)
        return integer || scalar->type == YAML_SCALAR_UNSIGNED ? NULL
                                                               : "!!int before something else";
    if (strcmp(tag, YAML_FLOAT_TAG) != 0)
        return "an unknown tag";
    if (integer) {
        scalar->type = YAML_SCALAR_REAL;
        scalar->real = (double)scalar->integer;
    }
    return scalar->type == YAML_SCALAR_REAL ? NULL : "!!float before something else";
}

/* ---- to JSON ---- */

json_t *yaml_scalar_real(double real)
{
    if (real != trunc(real) || fabs(real) >= 1e19)
        return json_real(real);
    /* kubectl writes the shortest digits that give the double and reads them as an integer; beyond
     * 2^53 that is not the double's own value. */
    char text[64];
    for (int precision = 0; precision <= 16; precision++) {
        snprintf(text, sizeof text, "%.*e", precision, real);
        if (strtod(text, NULL) == real)
            break;
    }
    char *e = strchr(text, 'e'), digits[32] = "";
    long point = strtol(e + 1, NULL, 10);
    size_t used = 0;
    for (const char *c = text; c < e; c++)
        if (*c != '.')
            digits[used++] = *c;
    size_t wanted = (size_t)point + 1 + (*text == '-');
    while (used < wanted)
        digits[used++] = '0';
    errno = 0;
    long long integer = strtoll(digits, NULL, 10);
    return errno ? json_real(real) : json_integer(integer);
}

json_t *yaml_scalar_value(const struct yaml_scalar *scalar, const char *text, const char **problem)
{
    json_t *value;
    switch (scalar->type) {
    case YAML_SCALAR_NULL: return json_null();
    case YAML_SCALAR_BOOL: return json_boolean(scalar->truth);
    case YAML_SCALAR_INTEGER: return json_integer(scalar->integer);
    case YAML_SCALAR_UNSIGNED: return json_real((double)scalar->magnitude);
    case YAML_SCALAR_REAL:
        if (isfinite(scalar->real))
            return yaml_scalar_real(scalar->real);
        *problem = "a number that JSON doesn't know";
        return NULL;
    case YAML_SCALAR_STRING: break;
    }
    value = json_string(text);
    if (!value)
        *problem = "not UTF-8";
    return value;
}

json_t *yaml_scalar_binary(const char *text, const char **problem)
{
    size_t digits = 0, length;
    char *bytes = NULL;
    json_t *value = NULL;
    for (const char *c = text; *c; c++)
        digits += *c != '\r' && *c != '\n';
    *problem = "!!binary before something that is not base64";
    if (digits % 4 == 0 && !strpbrk(text, " \t") && (bytes = base64_decode(text, &length))) {
        value = strlen(bytes) == length ? json_string(bytes) : NULL;
        *problem = value ? NULL : "!!binary that holds no text, which JSON can't keep";
    }
    free(bytes);
    return value;
}

/* Go's strconv.FormatFloat(real, 'g', -1, 32), which kubectl takes for keys. */
static void add_real(struct buf *key, double real)
{
    float number = (float)real;
    char text[64];
    int precision;
    if (isnan(number) || isinf(number)) {
        buf_adds(key, isnan(number) ? ".nan" : number > 0 ? ".inf" : "-.inf");
        return;
    }
    for (precision = 0; precision < 9; precision++) {
        snprintf(text, sizeof text, "%.*e", precision, (double)number);
        if (strtof(text, NULL) == number)
            break;
    }
    int exponent = (int)strtol(strchr(text, 'e') + 1, NULL, 10);
    if (exponent < -4 || exponent >= 6)
        buf_adds(key, text);
    else
        buf_addf(key, "%.*f", precision > exponent ? precision - exponent : 0, (double)number);
}

const char *yaml_scalar_key(const struct yaml_scalar *scalar, const char *text, struct buf *key)
{
    switch (scalar->type) {
    case YAML_SCALAR_NULL: return "a key that is null; quote it";
    case YAML_SCALAR_BOOL: buf_adds(key, scalar->truth ? "true" : "false"); break;
    case YAML_SCALAR_INTEGER: buf_addf(key, "%lld", scalar->integer); break;
    case YAML_SCALAR_UNSIGNED: return "a key that is too large an integer; quote it";
    case YAML_SCALAR_REAL: add_real(key, scalar->real); break;
    case YAML_SCALAR_STRING: buf_adds(key, text); break;
    }
    return NULL;
}
