/* The folders of profiles, as paths: which one a file belongs to, and where another profile lies.
 */
#ifndef SCRIPT_FOLDER_H
#define SCRIPT_FOLDER_H

#include <stdbool.h>
#include <stddef.h>

/* Whether the path, as text, lies below the folder. */
bool folder_has(const char *path, const char *folder);

/* Writes to `found` (of `size` bytes) the folder of the profile `name` that lies beside `folder` or
 * beside one of the two around it. False when there is none. */
bool folder_find_profile(const char *folder, const char *name, char *found, size_t size);

/* Whether two paths lead to one folder. */
bool folder_same(const char *a, const char *b);

#endif
