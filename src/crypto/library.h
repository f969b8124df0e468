/*
 * OpenSSL's libcrypto, loaded (dlopen) at the first use, as libcurl is: most commands need none.
 * Known to crypto/ alone.
 */
#ifndef CRYPTO_LIBRARY_H
#define CRYPTO_LIBRARY_H

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "base/err.h"

#define CRYPTO_FUNCTIONS(X)                                                                        \
    X(EVP_PKEY_Q_keygen)                                                                           \
    X(EVP_PKEY_free)                                                                               \
    X(EVP_sha256)                                                                                  \
    X(EVP_Digest)                                                                                  \
    X(EVP_CIPHER_CTX_new)                                                                          \
    X(EVP_CIPHER_CTX_free)                                                                         \
    X(EVP_CIPHER_CTX_ctrl)                                                                         \
    X(EVP_aes_256_gcm)                                                                             \
    X(EVP_EncryptInit_ex)                                                                          \
    X(EVP_EncryptUpdate)                                                                           \
    X(EVP_EncryptFinal_ex)                                                                         \
    X(EVP_DecryptInit_ex)                                                                          \
    X(EVP_DecryptUpdate)                                                                           \
    X(EVP_DecryptFinal_ex)                                                                         \
    X(EVP_PBE_scrypt)                                                                              \
    X(BIO_new)                                                                                     \
    X(BIO_s_secmem)                                                                                \
    X(BIO_ctrl)                                                                                    \
    X(BIO_free)                                                                                    \
    X(PEM_write_bio_PrivateKey)                                                                    \
    X(PEM_write_bio_PUBKEY)                                                                        \
    X(PEM_write_bio_X509)                                                                          \
    X(X509_new)                                                                                    \
    X(X509_free)                                                                                   \
    X(X509_set_version)                                                                            \
    X(X509_get_serialNumber)                                                                       \
    X(ASN1_INTEGER_set_uint64)                                                                     \
    X(X509_getm_notBefore)                                                                         \
    X(X509_getm_notAfter)                                                                          \
    X(X509_time_adj_ex)                                                                            \
    X(X509_set_pubkey)                                                                             \
    X(X509_get_subject_name)                                                                       \
    X(X509_NAME_add_entry_by_txt)                                                                  \
    X(X509_set_issuer_name)                                                                        \
    X(X509V3_EXT_conf_nid)                                                                         \
    X(X509_add_ext)                                                                                \
    X(X509_EXTENSION_free)                                                                         \
    X(X509_sign)

/* crypto->BIO_new is BIO_new, and so on. */
struct crypto_library {
#define X(name) __typeof__(&name) name; /* NOLINT(bugprone-macro-parentheses) */
    CRYPTO_FUNCTIONS(X)
#undef X
};

/* The library, loaded once; NULL with err (ERR_FAILED) when it is missing or older than 3.0. Never
 * unloaded. */
const struct crypto_library *crypto_load(struct err *err);

#endif
