#include "crypto/pair.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/buf.h"
#include "base/mem.h"
#include "crypto/library.h"

/* What was written to the BIO, as text; frees the BIO. */
static char *text_of(const struct crypto_library *crypto, BIO *bio, bool written)
{
    char *bytes = NULL;
    long length = written ? crypto->BIO_ctrl(bio, BIO_CTRL_INFO, 0, (char *)&bytes) : 0;
    char *text = length > 0 ? xstrndup(bytes, (size_t)length) : NULL;
    crypto->BIO_free(bio);
    return text;
}

static char *private_text(const struct crypto_library *crypto, EVP_PKEY *key)
{
    BIO *bio = crypto->BIO_new(crypto->BIO_s_secmem());
    bool written = crypto->PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) == 1;
    return text_of(crypto, bio, written);
}

static char *public_text(const struct crypto_library *crypto, EVP_PKEY *key)
{
    BIO *bio = crypto->BIO_new(crypto->BIO_s_secmem());
    bool written = crypto->PEM_write_bio_PUBKEY(bio, key) == 1;
    return text_of(crypto, bio, written);
}

static char *certificate_text(const struct crypto_library *crypto, X509 *certificate)
{
    BIO *bio = crypto->BIO_new(crypto->BIO_s_secmem());
    bool written = crypto->PEM_write_bio_X509(bio, certificate) == 1;
    return text_of(crypto, bio, written);
}

static bool add_extension(const struct crypto_library *crypto, X509 *certificate, int nid,
                          const char *value)
{
    X509_EXTENSION *extension = crypto->X509V3_EXT_conf_nid(NULL, NULL, nid, value);
    bool added = extension && crypto->X509_add_ext(certificate, extension, -1) == 1;
    crypto->X509_EXTENSION_free(extension);
    return added;
}

static char *alternative_names(const char *const *names, size_t count)
{
    struct buf text = BUF_INIT;
    unsigned char address[sizeof(struct in6_addr)];
    for (size_t i = 0; i < count; i++) {
        bool ip = inet_pton(AF_INET, names[i], address) == 1 ||
                  inet_pton(AF_INET6, names[i], address) == 1;
        buf_addf(&text, "%s%s:%s", i ? "," : "", ip ? "IP" : "DNS", names[i]);
    }
    return buf_detach(&text);
}

static X509 *self_signed(const struct crypto_library *crypto, EVP_PKEY *key,
                         const char *const *names, size_t count, int days)
{
    uint64_t serial = 0;
    X509 *certificate = crypto->X509_new();
    X509_NAME *subject = crypto->X509_get_subject_name(certificate);
    char *alternatives = alternative_names(names, count);
    bool good = getrandom(&serial, sizeof serial, 0) == sizeof serial;
    serial >>= 1; /* positive */
    /* The common name has room for 64 characters; the alternative names are what counts. */
    char common[65];
    strncpy(common, names[0], sizeof common - 1);
    common[sizeof common - 1] = '\0';
    good =
        good && crypto->X509_set_version(certificate, X509_VERSION_3) == 1 &&
        crypto->ASN1_INTEGER_set_uint64(crypto->X509_get_serialNumber(certificate), serial) == 1 &&
        crypto->X509_time_adj_ex(crypto->X509_getm_notBefore(certificate), 0, 0, NULL) &&
        crypto->X509_time_adj_ex(crypto->X509_getm_notAfter(certificate), days, 0, NULL) &&
        crypto->X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8,
                                           (const unsigned char *)common, -1, -1, 0) == 1 &&
        crypto->X509_set_issuer_name(certificate, subject) == 1 &&
        crypto->X509_set_pubkey(certificate, key) == 1 &&
        add_extension(crypto, certificate, NID_basic_constraints, "critical,CA:TRUE") &&
        add_extension(crypto, certificate, NID_subject_alt_name, alternatives) &&
        crypto->X509_sign(certificate, key, crypto->EVP_sha256()) > 0;
    free(alternatives);
    if (good)
        return certificate;
    crypto->X509_free(certificate);
    return NULL;
}

static EVP_PKEY *new_key(const struct crypto_library *crypto, int bits, struct err *err)
{
    EVP_PKEY *key = crypto->EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)bits);
    if (!key)
        err_set(err, ERR_FAILED, "OpenSSL makes no RSA key of %d bits", bits);
    return key;
}

int pair_rsa(struct pair *pair, int bits, struct err *err)
{
    *pair = (struct pair){ .private_key = NULL };
    const struct crypto_library *crypto = crypto_load(err);
    EVP_PKEY *key = crypto ? new_key(crypto, bits, err) : NULL;
    if (!key)
        return -1;
    pair->private_key = private_text(crypto, key);
    pair->public_key = public_text(crypto, key);
    crypto->EVP_PKEY_free(key);
    if (pair->private_key && pair->public_key)
        return 0;
    pair_release(pair);
    return err_set(err, ERR_FAILED, "OpenSSL can't write the key pair");
}

int pair_tls(struct pair *pair, int bits, const char *const *names, size_t count, int days,
             struct err *err)
{
    *pair = (struct pair){ .private_key = NULL };
    const struct crypto_library *crypto = crypto_load(err);
    EVP_PKEY *key = crypto ? new_key(crypto, bits, err) : NULL;
    if (!key)
        return -1;
    X509 *certificate = self_signed(crypto, key, names, count, days);
    if (certificate) {
        pair->private_key = private_text(crypto, key);
        pair->certificate = certificate_text(crypto, certificate);
        crypto->X509_free(certificate);
    }
    crypto->EVP_PKEY_free(key);
    if (pair->private_key && pair->certificate)
        return 0;
    pair_release(pair);
    return err_set(err, ERR_FAILED, "OpenSSL makes no certificate for %s", names[0]);
}

void pair_release(struct pair *pair)
{
    xfree_secret(pair->private_key);
    free(pair->public_key);
    free(pair->certificate);
    *pair = (struct pair){ .private_key = NULL };
}

char *pair_password(size_t length, const char *alphabet, struct err *err)
{
    size_t size = strlen(alphabet);
    unsigned limit = 256 - 256 % (unsigned)size; /* above it some would come more often */
    char *password = xcalloc(length + 1, 1);
    for (size_t i = 0; i < length;) {
        unsigned char byte;
        if (getrandom(&byte, 1, 0) != 1) {
            xfree_secret(password);
            err_set(err, ERR_FAILED, "the system gives no random numbers");
            return NULL;
        }
        if (byte < limit)
            password[i++] = alphabet[byte % size];
    }
    return password;
}
