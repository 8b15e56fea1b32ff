//! `tests/bench`: see `lienthong_tests::bench`.

use clap::Parser as _;
use lienthong_tests::bench::{Options, run};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    Box::pin(run(Options::parse())).await
}
