//! `keys`: the key file.

use std::path::Path;

use anyhow::Context;
use lienthong_domain::Clock;
use lienthong_ports::Store;
use lienthong_vault::{KeyId, KeyRing};
use serde_json::json;

use crate::args::KeysCommand;
use crate::commands::{load, print};
use crate::exit::Exit;
use crate::wire;

pub(super) async fn run(command: KeysCommand, as_json: bool) -> anyhow::Result<Exit> {
    match command {
        KeysCommand::Init(args) => {
            KeyRing::generate(&Clock::system()).create(&args.file)?;
            print(&format!(
                "Written: {}. Keep a copy in a safe place: without it nobody can read the store.\n",
                args.file.display()
            ))?;
        }
        KeysCommand::Show(args) => show(&args.file, as_json)?,
        KeysCommand::Rotate(args) => {
            let mut ring = KeyRing::read(&args.file)?;
            let id = ring.rotate(&Clock::system())?;
            ring.replace(&args.file)?;
            print(&format!(
                "Key {} is the present one now. Restart the gateway; when `lienthong keys retire` finds an old key unused, \
                 it can go.\n",
                id.0
            ))?;
        }
        KeysCommand::Retire { id, config } => {
            let config = load(config.config.as_deref())?;
            retire(&config, KeyId(id)).await?;
            print(&format!("Key {id} is gone.\n"))?;
        }
    }
    Ok(Exit::OK)
}

fn show(file: &Path, as_json: bool) -> anyhow::Result<()> {
    let ring = KeyRing::read(file)?;
    let current = ring.current();
    if as_json {
        let keys = ring.keys();
        let keys = keys
            .map(|(id, created)| json!({ "id": id.0, "created": created.to_string(), "current": id == current }))
            .collect::<Vec<_>>();
        return print(&format!("{}\n", json!({ "keys": keys })));
    }
    let mut text = String::new();
    for (id, created) in ring.keys() {
        let note = if id == current { "  present" } else { "" };
        text.extend([format!("{:>4}  {created}{note}\n", id.0)]);
    }
    print(&text)
}

/// Removes a key after the store has said that nothing is wrapped under it.
async fn retire(config: &crate::config::Config, id: KeyId) -> anyhow::Result<()> {
    let file = &config.vault.keys_file;
    let mut ring = KeyRing::read(file)?;
    if config.store.path.exists() {
        let store = wire::open_store(config).context("stop the gateway first")?;
        let in_use = store.keys_in_use().await;
        store.close().await;
        let in_use = in_use.context("failed to ask the store which keys are in use")?;
        if let Some((_, count)) = in_use.iter().find(|(used, _)| *used == id) {
            anyhow::bail!(
                "key {} still wraps {count} data keys: run the gateway until it has wrapped them anew",
                id.0
            );
        }
    }
    ring.retire(id)?;
    ring.replace(file)?;
    Ok(())
}
