/*
 * The written forms that Kubernetes knows: names, labels, quantities and the like, by the rules of
 * apimachinery (util/validation/validation.go, api/resource/quantity.go). Each function gives NULL
 * for a text that is right, else what a right one is, to go on after "must be " or "must ".
 */
#ifndef OBJECT_SYNTAX_H
#define OBJECT_SYNTAX_H

#include <stdbool.h>

const char *syntax_dns_label(const char *text);      /* DNS-1123, at most 63 bytes */
const char *syntax_dns_1035_label(const char *text); /* the same, with a letter first */
const char *syntax_dns_subdomain(const char *text);  /* DNS-1123, at most 253 bytes */
const char *syntax_path_segment(const char *text);   /* names of RBAC kinds */

const char *syntax_label_key(const char *text);
const char *syntax_annotation_key(const char *text); /* as of labels, but the prefix in any case */
const char *syntax_label_value(const char *text);

const char *syntax_data_key(const char *text);  /* of ConfigMap and Secret */
const char *syntax_env_name(const char *text);  /* as of Kubernetes 1.34 */
const char *syntax_port_name(const char *text); /* IANA_SVC_NAME */
const char *syntax_quantity(const char *text);
const char *syntax_time(const char *text);   /* RFC 3339 */
const char *syntax_base64(const char *text); /* RFC 4648 with padding; line breaks are skipped */

#endif
