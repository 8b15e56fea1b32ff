//! `keys`: the key file.

use std::fs::File;
use std::path::Path;

use anyhow::Context;
use lienthong_domain::Clock;
use lienthong_ports::Store;
use lienthong_store_sqlite::SqliteStore;
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
            let _alone = alone_with(&args.file)?;
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

/// Keeps other commands from changing the file between our reading and our writing it.
fn alone_with(file: &Path) -> anyhow::Result<File> {
    let handle = File::open(file).with_context(|| format!("failed to open {}", file.display()))?;
    handle
        .try_lock()
        .with_context(|| format!("another command is changing {}", file.display()))?;
    Ok(handle)
}

/// Removes a key after the store has said that nothing is wrapped under it. The store stays open, and so out of a
/// gateway's reach, until the file is written: a gateway that started in between could use the key again.
async fn retire(config: &crate::config::Config, id: KeyId) -> anyhow::Result<()> {
    let file = &config.vault.keys_file;
    let _alone = alone_with(file)?;
    let store = if config.store.path.exists() {
        Some(wire::open_store(config).context("stop the gateway first")?)
    } else {
        None
    };
    let removed = remove_unused(file, store.as_ref(), id).await;
    if let Some(store) = store {
        store.close().await;
    }
    removed
}

async fn remove_unused(file: &Path, store: Option<&SqliteStore>, id: KeyId) -> anyhow::Result<()> {
    let mut ring = KeyRing::read(file)?;
    if let Some(store) = store {
        let in_use = store.keys_in_use().await;
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
