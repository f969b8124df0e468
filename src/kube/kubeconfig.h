/*
 * The way to a cluster: kubeconfig files merged as kubectl does
 * (kubernetes.io/docs/concepts/configuration/organize-cluster-access-kubeconfig/), or the service
 * account of the pod that the program runs in. Only reads files; no traffic.
 */
#ifndef KUBE_KUBECONFIG_H
#define KUBE_KUBECONFIG_H

#include "base/err.h"

struct kube_access {
    char *context;   /* name of the context, or "in-cluster" */
    char *server;    /* "https://host:port/path", without a trailing slash */
    char *namespace; /* of the context; NULL when it names none */
    char *ca_pem;    /* PEM text or NULL: the system's authorities */
    char *cert_pem;  /* client certificate and key, or NULL */
    char *key_pem;
    char *token;      /* bearer token, or NULL */
    char *token_file; /* where `token` came from, or NULL; read when this is loaded */
    char *username;   /* basic authentication, or NULL */
    char *password;
    char *tls_server_name;
    char *proxy_url;
};

/*
 * `path` is --kubeconfig (NULL: $KUBECONFIG with several files, else ~/.kube/config, else the
 * in-cluster service account); `context` is --context (NULL: current-context). Errors name the
 * file and, for YAML, the line; kind ERR_UNREACHABLE. insecure-skip-tls-verify is refused.
 */
int kube_access_load(struct kube_access *access, const char *path, const char *context,
                     struct err *err);
void kube_access_release(struct kube_access *access); /* wipes secrets */

#endif
