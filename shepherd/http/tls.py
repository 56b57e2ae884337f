"""TLS of the public port."""

import ssl


def tls_context(certificate: str, key: str) -> ssl.SSLContext | None:
    """TLS 1.2 or later with the chain and the key of these PEM files; None without a certificate.

    Without a key file, the certificate's file holds both. Raises OSError for an unreadable file.
    """
    if not certificate:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(certificate, key or None)
    return context
