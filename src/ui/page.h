/*
 * The page of --report: one HTML text that is whole in itself, without scripts and without anything
 * from elsewhere. A function of values; every text in them is shown as text.
 *   { command, version, release, environment, namespace, cluster, path, by, commit, message,
 *     started, seconds, before_ms, rollout_ms, after_ms,
 *     outcome: { word, tone: "good" | "bad" | "warn", exit, error }, revision, ready,
 *     done: { created, changed, unchanged, deleted }, rolled_back: { revision, error },
 *     timeline: as of ui/timeline.h, topology: as of object/topology.h,
 *     changes: [ { component, origin, object, action, sign, notes: [text], text } ],
 *     refusals: [text], report: as of release/report.h,
 *     doctor: { sections: [ { name, state: "clean" | "findings" | "left out", note,
 *                             findings: [ { severity, component,
 *                                           object: { apiVersion, kind, namespace, name },
 *                                           message, evidence, remedy, origin } ] } ] } }
 * What is left out is not shown. Texts that are very long, and very many of them, are cut, and the
 * page says so: it stays below 2 MB.
 */
#ifndef UI_PAGE_H
#define UI_PAGE_H

#include <jansson.h>

#include "base/buf.h"

void page_write(const json_t *page, struct buf *out);

#endif
