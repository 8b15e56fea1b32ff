//! Starts a private RabbitMQ for a whole test run: `private-rabbit DESCRIPTOR_FILE`.
//!
//! The file appears once the broker takes connections. The broker ends when stdin closes or on
//! SIGTERM or SIGINT, so it cannot outlive a test run that keeps its stdin open.

use std::path::Path;

use anyhow::Context as _;
use lienthong_testkit::rabbitmq::PrivateRabbit;
use tokio::signal::unix::{SignalKind, signal};

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let file = std::env::args_os()
        .nth(1)
        .context("usage: private-rabbit DESCRIPTOR_FILE")?;
    let mut terminated = signal(SignalKind::terminate())?;
    let mut interrupted = signal(SignalKind::interrupt())?;
    let rabbit = PrivateRabbit::start()?;
    rabbit.write_descriptor(Path::new(&file))?;

    // A thread waits for the end of stdin: it may be a pipe, a file or a terminal.
    let (closed, stdin_closed) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        std::io::copy(&mut std::io::stdin(), &mut std::io::sink()).ok();
        closed.send(()).ok();
    });
    tokio::select! {
        _ = terminated.recv() => {}
        _ = interrupted.recv() => {}
        _ = stdin_closed => {}
    }
    drop(rabbit);
    std::fs::remove_file(&file).context("remove the descriptor")
}
