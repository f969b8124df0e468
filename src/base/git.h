/* What a folder's git repository says of itself, read from its files: no program is run, because
 * the configuration of somebody's repository may name programs of its own. */
#ifndef BASE_GIT_H
#define BASE_GIT_H

/*
 * The commit that is checked out where `path` (a file or folder) lies, as hexadecimal text, by
 * .git/HEAD of the folder or of one above it. Worktrees and submodules are known. Returns 0, or -1
 * when there is no repository, no commit yet, or a form of refs that files don't show (reftable).
 */
int git_commit(const char *path, char out[65]);

#endif
