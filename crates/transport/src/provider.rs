//! The one cryptographic provider of the process: aws-lc-rs, named explicitly everywhere.

use std::sync::{Arc, OnceLock};

use rustls::crypto::{CryptoProvider, aws_lc_rs};

/// Makes aws-lc-rs the default provider of the process and warms it up; returns it.
///
/// Call it first thing in `main`; calling it again is harmless. Libraries that look for a process
/// default (lapin's connector) find it. One random byte is drawn here because the first one of a
/// process costs tens of milliseconds, which the first handshake should not pay.
pub fn install_crypto_provider() -> Arc<CryptoProvider> {
    static PROVIDER: OnceLock<Arc<CryptoProvider>> = OnceLock::new();
    PROVIDER
        .get_or_init(|| {
            let provider = aws_lc_rs::default_provider();
            if provider.secure_random.fill(&mut [0; 1]).is_err() {
                tracing::error!("the random generator gave nothing; handshakes will fail");
            }
            // An error means that somebody installed a default before us. It is not used by this
            // crate, which passes its provider on explicitly.
            match provider.clone().install_default() {
                Ok(()) => {}
                Err(_installed_before) => tracing::debug!("a crypto provider was installed before"),
            }
            Arc::new(provider)
        })
        .clone()
}
