//! The bounds of our HTTP/2 servers, set in one place on tonic's builder.

use std::time::Duration;

use tonic::transport::Server;

/// Bounds of one HTTP/2 connection. Sizes in bytes.
#[derive(Debug, Clone)]
pub struct Http2Limits {
    /// Requests at a time on one connection, as announced to the client.
    pub streams_max: u32,
    /// All headers of one request.
    pub header_bytes_max: u32,
    /// One frame.
    pub frame_bytes_max: u32,
    /// Unread data of one stream.
    pub stream_window_bytes: u32,
    /// Unread data of one connection.
    pub connection_window_bytes: u32,
    /// Streams reset by the client before we looked at them (rapid reset).
    pub pending_resets_max: usize,
    /// Streams we reset because of the client's faults.
    pub local_resets_max: usize,
    /// How often a silent connection is asked whether it lives.
    pub keepalive_interval: Duration,
    /// How long the answer may take.
    pub keepalive_timeout: Duration,
    /// When the client is asked to connect anew (GOAWAY); what is in flight goes on until
    /// [`Limits::connection_life_max`](crate::Limits), which must be longer.
    pub connection_age_max: Duration,
}

impl Default for Http2Limits {
    fn default() -> Self {
        Self {
            streams_max: 100,
            header_bytes_max: 8 * 1024,
            frame_bytes_max: 16 * 1024,
            stream_window_bytes: 256 * 1024,
            connection_window_bytes: 1024 * 1024,
            pending_resets_max: 20,
            local_resets_max: 128,
            keepalive_interval: Duration::from_secs(30),
            keepalive_timeout: Duration::from_secs(10),
            connection_age_max: Duration::from_mins(30),
        }
    }
}

/// A tonic server builder with these bounds; deadlines, budgets and services are the caller's.
///
/// tonic's own age grace stays unset on purpose: with it, tonic 0.14.9 cuts the connection without
/// a GOAWAY. The hard end is the acceptor's.
pub fn tonic_server(limits: &Http2Limits) -> Server {
    Server::builder()
        .max_concurrent_streams(limits.streams_max)
        .http2_max_header_list_size(limits.header_bytes_max)
        .max_frame_size(limits.frame_bytes_max)
        .initial_stream_window_size(limits.stream_window_bytes)
        .initial_connection_window_size(limits.connection_window_bytes)
        .http2_max_pending_accept_reset_streams(Some(limits.pending_resets_max))
        .http2_max_local_error_reset_streams(Some(limits.local_resets_max))
        .http2_keepalive_interval(Some(limits.keepalive_interval))
        .http2_keepalive_timeout(Some(limits.keepalive_timeout))
        .max_connection_age(limits.connection_age_max)
}
