//! `config default` and `config check`.

use crate::args::ConfigCommand;
use crate::commands::{load, print};
use crate::config::DEFAULT;
use crate::exit::Exit;

pub(super) fn run(command: ConfigCommand) -> anyhow::Result<Exit> {
    match command {
        ConfigCommand::Default => print(DEFAULT)?,
        ConfigCommand::Check { file } => {
            load(file.as_deref())?;
            print(
                "The configuration has no fault. `lienthong doctor` also tries what it names.\n",
            )?;
        }
    }
    Ok(Exit::OK)
}
