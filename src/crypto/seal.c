#include "crypto/seal.h"

#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/base64.h"
#include "base/mem.h"
#include "crypto/library.h"

/* What is sealed: a byte that names the form, which is authenticated too, the nonce, the bytes, and
 * the tag. */
enum { FORM = 1, NONCE_SIZE = 12, TAG_SIZE = 16, HEAD_SIZE = 1 + NONCE_SIZE };

/* scrypt's cost, as its paper and RFC 7914 have it for a person who waits: a tenth of a second. */
enum { SCRYPT_N = 1 << 15, SCRYPT_R = 8, SCRYPT_P = 1, SCRYPT_MEMORY_MAX = 64 << 20, SALT_MIN = 8 };

static int fill_random(unsigned char *bytes, size_t length, struct err *err)
{
    if (getrandom(bytes, length, 0) != (ssize_t)length)
        return err_set(err, ERR_FAILED, "the system gives no random numbers");
    return 0;
}

int seal_key_new(unsigned char key[SEAL_KEY_SIZE], struct err *err)
{
    return fill_random(key, SEAL_KEY_SIZE, err);
}

static bool encrypt(const struct crypto_library *crypto, EVP_CIPHER_CTX *context,
                    const unsigned char *key, unsigned char *sealed, const char *bytes, int length)
{
    int done = 0, rest = 0;
    unsigned char *out = sealed + HEAD_SIZE;
    return crypto->EVP_EncryptInit_ex(context, crypto->EVP_aes_256_gcm(), NULL, key, sealed + 1) ==
               1 &&
           crypto->EVP_EncryptUpdate(context, NULL, &done, sealed, 1) == 1 &&
           crypto->EVP_EncryptUpdate(context, out, &done, (const unsigned char *)bytes, length) ==
               1 &&
           crypto->EVP_EncryptFinal_ex(context, out + done, &rest) == 1 && done + rest == length &&
           crypto->EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_GET_TAG, TAG_SIZE, out + length) == 1;
}

int seal_encrypt(const unsigned char key[SEAL_KEY_SIZE], const char *bytes, size_t length,
                 char **text, struct err *err)
{
    const struct crypto_library *crypto = crypto_load(err);
    if (!crypto)
        return -1;
    if (length > INT_MAX - HEAD_SIZE - TAG_SIZE)
        return err_set(err, ERR_FAILED, "%zu bytes are too many to seal", length);
    size_t size = HEAD_SIZE + length + TAG_SIZE;
    unsigned char *sealed = xmalloc(size);
    sealed[0] = FORM;
    if (fill_random(sealed + 1, NONCE_SIZE, err) != 0) {
        free(sealed);
        return -1;
    }
    EVP_CIPHER_CTX *context = crypto->EVP_CIPHER_CTX_new();
    bool good = context && encrypt(crypto, context, key, sealed, bytes, (int)length);
    crypto->EVP_CIPHER_CTX_free(context);
    if (good)
        *text = base64_encode((const char *)sealed, size);
    free(sealed);
    return good ? 0 : err_set(err, ERR_FAILED, "OpenSSL can't encrypt by AES-256-GCM");
}

static bool decrypt(const struct crypto_library *crypto, EVP_CIPHER_CTX *context,
                    const unsigned char *key, const unsigned char *sealed, unsigned char *bytes,
                    int length)
{
    int done = 0, rest = 0;
    const unsigned char *in = sealed + HEAD_SIZE;
    return crypto->EVP_DecryptInit_ex(context, crypto->EVP_aes_256_gcm(), NULL, key, sealed + 1) ==
               1 &&
           crypto->EVP_DecryptUpdate(context, NULL, &done, sealed, 1) == 1 &&
           crypto->EVP_DecryptUpdate(context, bytes, &done, in, length) == 1 &&
           crypto->EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_SET_TAG, TAG_SIZE,
                                       (void *)(in + length)) == 1 &&
           crypto->EVP_DecryptFinal_ex(context, bytes + done, &rest) == 1 && done + rest == length;
}

int seal_decrypt(const unsigned char key[SEAL_KEY_SIZE], const char *text, char **bytes,
                 size_t *length, struct err *err)
{
    const struct crypto_library *crypto = crypto_load(err);
    if (!crypto)
        return -1;
    size_t size = 0;
    unsigned char *sealed = (unsigned char *)base64_decode(text, &size);
    if (!sealed || size < HEAD_SIZE + TAG_SIZE || size > INT_MAX || sealed[0] != FORM) {
        free(sealed);
        return err_set(err, ERR_FAILED, "this is no sealed value");
    }
    size_t inside = size - HEAD_SIZE - TAG_SIZE;
    unsigned char *out = xcalloc(inside + 1, 1);
    EVP_CIPHER_CTX *context = crypto->EVP_CIPHER_CTX_new();
    bool good = context && decrypt(crypto, context, key, sealed, out, (int)inside);
    crypto->EVP_CIPHER_CTX_free(context);
    free(sealed);
    if (!good) {
        explicit_bzero(out, inside);
        free(out);
        return err_set(err, ERR_FAILED, "it was sealed by another key, or changed since");
    }
    *bytes = (char *)out;
    *length = inside;
    return 0;
}

int seal_key_from_passphrase(const char *passphrase, size_t length, const char *salt_base64,
                             unsigned char key[SEAL_KEY_SIZE], struct err *err)
{
    const struct crypto_library *crypto = crypto_load(err);
    if (!crypto)
        return -1;
    size_t salt_size = 0;
    char *salt = base64_decode(salt_base64, &salt_size);
    int result = 0;
    if (!salt || salt_size < SALT_MIN)
        result = err_set(err, ERR_FAILED,
                         "the salt of a passphrase must be base64 of %d bytes or "
                         "more",
                         SALT_MIN);
    else if (crypto->EVP_PBE_scrypt(passphrase, length, (const unsigned char *)salt, salt_size,
                                    SCRYPT_N, SCRYPT_R, SCRYPT_P, SCRYPT_MEMORY_MAX, key,
                                    SEAL_KEY_SIZE) != 1)
        result = err_set(err, ERR_FAILED, "OpenSSL can't make a key of the passphrase (scrypt)");
    free(salt);
    return result;
}

int seal_sha256(const char *bytes, size_t length, unsigned char digest[32], struct err *err)
{
    const struct crypto_library *crypto = crypto_load(err);
    if (!crypto)
        return -1;
    if (crypto->EVP_Digest(bytes, length, digest, NULL, crypto->EVP_sha256(), NULL) != 1)
        return err_set(err, ERR_FAILED, "OpenSSL can't make a SHA-256 sum");
    return 0;
}
