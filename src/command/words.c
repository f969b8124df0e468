#include "command/words.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

bool words_name_kind(const char *word, size_t length, const char *kind)
{
    size_t own = strlen(kind);
    return strncasecmp(word, kind, own) == 0 &&
           (length == own || (length == own + 1 && (word[own] | 0x20) == 's'));
}

int words_revision(const char *word, int *number, struct err *err)
{
    char *end;
    errno = 0;
    long value = strtol(word, &end, 10);
    if (errno || end == word || *end || value < 1 || value > 1000000000)
        return err_set(err, ERR_USAGE, "a revision is a whole number above 0, not '%s'", word);
    *number = (int)value;
    return 0;
}
