//! A destination: a system outside that takes one status at a time.

use std::time::Duration;

use async_trait::async_trait;
use lienthong_domain::{Answer, DestinationName};

use crate::store::Work;

/// Sends statuses to one outside system and classifies its answers. It never retries by itself.
#[async_trait]
pub trait Destination: Send + Sync {
    /// The configured name.
    fn name(&self) -> &DestinationName;

    /// Performs step `work.step` of delivering `work` and classifies the answer.
    ///
    /// Ends within `timeout`: a call that takes longer is an answer too (retry, transport).
    /// Calling twice with the same `work` must be harmless at the destination or be what the
    /// destination's own repetition rules allow.
    async fn deliver(&self, work: &Work, timeout: Duration) -> Answer;

    /// Asks whether the destination can be reached and accepts our credentials; for `doctor`.
    ///
    /// # Errors
    /// One sentence that says what an operator should look at.
    async fn check(&self, timeout: Duration) -> Result<(), String>;
}
