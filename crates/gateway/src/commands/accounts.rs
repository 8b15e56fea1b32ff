//! `accounts`: who signs in to the console with a password of this gateway.

use std::io::Read;
use std::path::Path;

use anyhow::Context;
use lienthong_console::{Account, Accounts, ConsoleError, PASSWORD_CHARS_MIN};
use lienthong_domain::{Clock, OperatorRole};
use serde_json::json;

use crate::args::AccountsCommand;
use crate::commands::print;
use crate::exit::Exit;

/// A password on standard input may be this long.
const INPUT_BYTES_MAX: u64 = 4_096;

pub(super) fn run(command: AccountsCommand, as_json: bool) -> anyhow::Result<Exit> {
    match command {
        AccountsCommand::Add {
            name,
            display_name,
            role,
            password,
            file,
        } => {
            let display_name = display_name.unwrap_or_else(|| name.clone());
            let secret = new_password(password.password_stdin)?;
            let now = Clock::system().now();
            Accounts::edit(&file.file, |accounts| {
                accounts.add((&name, &display_name), role, &secret, now)
            })?;
            print(&format!("{name} can sign in as {role}.\n"))?;
        }
        AccountsCommand::List(file) => list(&file.file, as_json)?,
        AccountsCommand::SetRole { name, role, file } => {
            Accounts::edit(&file.file, |accounts| accounts.set_role(&name, role))?;
            print(&format!("{name} is {role} from the next page on.\n"))?;
        }
        AccountsCommand::SetPassword {
            name,
            password,
            file,
        } => {
            known(&file.file, &name)?;
            let secret = new_password(password.password_stdin)?;
            Accounts::edit(&file.file, |accounts| accounts.set_password(&name, &secret))?;
            print(&format!(
                "{name} has a new password, and is signed out everywhere.\n"
            ))?;
        }
        AccountsCommand::Disable { name, file } => {
            Accounts::edit(&file.file, |accounts| accounts.set_disabled(&name, true))?;
            print(&format!("{name} is signed out and cannot sign in.\n"))?;
        }
        AccountsCommand::Enable { name, file } => {
            Accounts::edit(&file.file, |accounts| accounts.set_disabled(&name, false))?;
            print(&format!("{name} can sign in again.\n"))?;
        }
        AccountsCommand::Remove { name, file } => {
            Accounts::edit(&file.file, |accounts| accounts.remove(&name))?;
            print(&format!("{name} is gone, and signed out everywhere.\n"))?;
        }
    }
    Ok(Exit::OK)
}

fn list(file: &Path, as_json: bool) -> anyhow::Result<()> {
    let accounts = Accounts::read(file)?;
    if as_json {
        let shown = |account: &Account| {
            json!({
                "name": account.name,
                "display_name": account.display_name,
                "role": account.role,
                "disabled": account.disabled,
                "created_at": account.created_at,
            })
        };
        let shown = accounts.iter().map(shown).collect::<Vec<_>>();
        return print(&format!("{}\n", json!({ "accounts": shown })));
    }
    if accounts.is_empty() {
        return print(
            "No accounts. Make one with `lienthong accounts add NAME --role operator`.\n",
        );
    }
    let mut text = String::new();
    for account in accounts.iter() {
        let note = if account.disabled { "  disabled" } else { "" };
        let (name, role, display) = (&account.name, account.role.name(), &account.display_name);
        text.extend([format!("{name:<20} {role:<9} {display}{note}\n")]);
    }
    print(&text)
}

/// Says that a name is wrong before a password is asked for.
fn known(file: &Path, name: &str) -> anyhow::Result<()> {
    let accounts = Accounts::read(file)?;
    if accounts.find(name).is_none() {
        return Err(ConsoleError::Refused("there is no account of that name").into());
    }
    Ok(())
}

/// A password from standard input, or asked for twice without showing it. Never an argument: those are seen by all.
fn new_password(from_stdin: bool) -> anyhow::Result<String> {
    if from_stdin {
        let mut text = String::new();
        let stdin = std::io::stdin().lock();
        stdin.take(INPUT_BYTES_MAX).read_to_string(&mut text)?;
        return Ok(text.trim_end_matches(['\r', '\n']).to_owned());
    }
    let terminal = console::Term::stderr();
    if !terminal.is_term() {
        let reason = "there is no terminal to ask for the password: use --password-stdin";
        return Err(ConsoleError::Refused(reason).into());
    }
    terminal.write_str(&format!(
        "Password (at least {PASSWORD_CHARS_MIN} characters): "
    ))?;
    let first = terminal
        .read_secure_line()
        .context("failed to read the password")?;
    terminal.write_str("Once more: ")?;
    let second = terminal
        .read_secure_line()
        .context("failed to read the password")?;
    if first != second {
        return Err(ConsoleError::Refused("the two passwords differ").into());
    }
    Ok(first)
}

/// Reads a role of the command line.
pub(crate) fn role(text: &str) -> Result<OperatorRole, String> {
    OperatorRole::parse(text).ok_or_else(|| "viewer, operator or approver".to_owned())
}
