#include "object/syntax.h"

#include <stddef.h>
#include <string.h>

#define DIGITS "0123456789"
#define LOWER  "abcdefghijklmnopqrstuvwxyz"
#define UPPER  "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

static bool is_one_of(char c, const char *set)
{
    return c != '\0' && strchr(set, c);
}

/* Whether the first `length` bytes are all of `set`, and the first and last of `ends`. */
static bool made_of(const char *text, size_t length, const char *set, const char *ends)
{
    return length > 0 && strspn(text, set) >= length && is_one_of(text[0], ends) &&
           is_one_of(text[length - 1], ends);
}

static bool is_label(const char *text, size_t length)
{
    return length <= 63 && made_of(text, length, LOWER DIGITS "-", LOWER DIGITS);
}

const char *syntax_dns_label(const char *text)
{
    if (is_label(text, strlen(text)))
        return NULL;
    return "at most 63 lower case letters, digits and '-', with a letter or digit at both ends";
}

const char *syntax_dns_1035_label(const char *text)
{
    if (is_label(text, strlen(text)) && is_one_of(*text, LOWER))
        return NULL;
    return "at most 63 lower case letters, digits and '-', beginning with a letter and ending "
           "with a letter or digit";
}

/* `set` and `ends`: of each part between dots. */
static bool is_subdomain(const char *text, size_t length, const char *set, const char *ends)
{
    if (length == 0 || length > 253)
        return false;
    for (size_t start = 0; start <= length;) {
        const char *dot = memchr(text + start, '.', length - start);
        size_t part = (dot ? (size_t)(dot - text) : length) - start;
        if (!made_of(text + start, part, set, ends))
            return false;
        start += part + 1;
    }
    return true;
}

const char *syntax_dns_subdomain(const char *text)
{
    if (is_subdomain(text, strlen(text), LOWER DIGITS "-", LOWER DIGITS))
        return NULL;
    return "at most 253 lower case letters, digits, '-' and '.', with a letter or digit at both "
           "ends and around each '.'";
}

const char *syntax_path_segment(const char *text)
{
    if (*text && strcmp(text, ".") != 0 && strcmp(text, "..") != 0 && !strpbrk(text, "/%"))
        return NULL;
    return "without '/' and '%', and neither '.' nor '..'";
}

static bool is_label_name(const char *text)
{
    size_t length = strlen(text);
    return length <= 63 && made_of(text, length, LOWER UPPER DIGITS "-_.", LOWER UPPER DIGITS);
}

const char *syntax_label_key(const char *text)
{
    const char *slash = strchr(text, '/');
    if (is_label_name(slash ? slash + 1 : text) &&
        (!slash || is_subdomain(text, (size_t)(slash - text), LOWER DIGITS "-", LOWER DIGITS)))
        return NULL;
    return "at most 63 letters, digits, '-', '_' and '.', with a letter or digit at both ends, "
           "after an optional DNS name and '/'";
}

const char *syntax_annotation_key(const char *text)
{
    const char *slash = strchr(text, '/');
    if (slash && is_label_name(slash + 1) &&
        is_subdomain(text, (size_t)(slash - text), LOWER UPPER DIGITS "-", LOWER UPPER DIGITS))
        return NULL;
    return syntax_label_key(text);
}

const char *syntax_label_value(const char *text)
{
    if (!*text || is_label_name(text))
        return NULL;
    return "at most 63 letters, digits, '-', '_' and '.', with a letter or digit at both ends";
}

const char *syntax_data_key(const char *text)
{
    size_t length = strlen(text);
    if (length > 0 && length <= 253 && strspn(text, LOWER UPPER DIGITS "-_.") == length &&
        strcmp(text, ".") != 0 && strncmp(text, "..", 2) != 0)
        return NULL;
    return "at most 253 letters, digits, '-', '_' and '.', not beginning with '..'";
}

const char *syntax_env_name(const char *text)
{
    const char *at = text;
    while (*at >= ' ' && *at <= '~' && *at != '=')
        at++;
    return at > text && !*at ? NULL : "of printable ASCII characters without '='";
}

const char *syntax_port_name(const char *text)
{
    size_t length = strlen(text);
    if (length <= 15 && made_of(text, length, LOWER DIGITS "-", LOWER DIGITS) &&
        !strstr(text, "--") && strpbrk(text, LOWER))
        return NULL;
    return "at most 15 lower case letters, digits and single '-', with at least one letter and "
           "a letter or digit at both ends";
}

const char *syntax_quantity(const char *text)
{
    static const char *const suffixes[] = { "",  "n", "u",  "m",  "k",  "M",  "G",  "T",
                                            "P", "E", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei" };
    const char *at = text + (*text == '+' || *text == '-');
    size_t digits = strspn(at, DIGITS);
    at += digits;
    if (*at == '.') {
        size_t more = strspn(at + 1, DIGITS);
        digits += more;
        at += more + 1;
    }
    for (size_t i = 0; digits > 0 && i < sizeof suffixes / sizeof *suffixes; i++)
        if (strcmp(at, suffixes[i]) == 0)
            return NULL;
    if (digits > 0 && is_one_of(*at, "eE")) {
        at += 1 + is_one_of(at[1], "+-");
        size_t exponent = strspn(at, DIGITS);
        if (exponent > 0 && exponent <= 9 && at[exponent] == '\0')
            return NULL;
    }
    return "a quantity such as 2, 0.5, 500m, 128Mi or 1G";
}

/* Two digits, at most `most`. */
static bool is_pair(const char *text, int most)
{
    return is_one_of(text[0], DIGITS) && is_one_of(text[1], DIGITS) &&
           (text[0] - '0') * 10 + text[1] - '0' <= most;
}

static bool is_time(const char *text)
{
    if (strspn(text, DIGITS) != 4 || text[4] != '-' || !is_pair(text + 5, 12) || text[7] != '-' ||
        !is_pair(text + 8, 31) || text[10] != 'T' || !is_pair(text + 11, 23) || text[13] != ':' ||
        !is_pair(text + 14, 59) || text[16] != ':' || !is_pair(text + 17, 59))
        return false;
    const char *at = text + 19;
    if (*at == '.') {
        size_t fraction = strspn(++at, DIGITS);
        if (fraction == 0)
            return false;
        at += fraction;
    }
    if (strcmp(at, "Z") == 0)
        return true;
    return is_one_of(*at, "+-") && is_pair(at + 1, 24) && at[3] == ':' && is_pair(at + 4, 59) &&
           at[6] == '\0';
}

const char *syntax_time(const char *text)
{
    return is_time(text) ? NULL : "a time such as 2026-01-31T12:00:00Z";
}

const char *syntax_base64(const char *text)
{
    size_t digits = 0, padding = 0;
    for (; *text; text++) {
        if (*text == '\r' || *text == '\n')
            continue;
        if (*text == '=')
            padding++;
        else if (padding == 0 && is_one_of(*text, LOWER UPPER DIGITS "+/"))
            digits++;
        else
            break;
    }
    if (!*text && padding <= 2 && digits % 4 != 1 && (digits + padding) % 4 == 0)
        return NULL;
    return "base64";
}
