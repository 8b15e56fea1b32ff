//! The accounts file: people who sign in with a password of this gateway. Changed by `lienthong accounts`, followed by
//! the console.

mod following;
mod store;

use jiff::Timestamp;
use lienthong_domain::OperatorRole;
use serde::{Deserialize, Serialize};

use crate::error::ConsoleError;
use crate::passwords;
use crate::secret::SecretHash;

pub(crate) use following::Following;

/// Accounts of one file.
const ACCOUNTS_MAX: usize = 1_000;
/// Longest name of an account, in characters.
const NAME_CHARS_MAX: usize = 32;
/// Longest name of a person, in characters.
const DISPLAY_NAME_CHARS_MAX: usize = 100;

/// An account.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Account {
    /// 2 to 32 of `a-z`, `0-9`, `.`, `_`, `-`; begins with a letter. Written into actions as `account:NAME`.
    pub name: String,
    /// What people call the person, 1 to 100 characters.
    pub display_name: String,
    /// How far it reaches.
    pub role: OperatorRole,
    /// The password's Argon2id hash, as a PHC string.
    password: String,
    /// Cannot sign in, and is signed out at once.
    #[serde(default)]
    pub disabled: bool,
    /// When it was made.
    pub created_at: Timestamp,
}

/// The hash is not for logs.
impl std::fmt::Debug for Account {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Account")
            .field("name", &self.name)
            .field("role", &self.role)
            .field("disabled", &self.disabled)
            .finish_non_exhaustive()
    }
}

impl Account {
    /// The hash of its password, for verifying.
    pub(crate) fn password_hash(&self) -> &str {
        &self.password
    }

    /// Changes with the password.
    pub(crate) fn stamp(&self) -> SecretHash {
        SecretHash::of(self.password.as_bytes())
    }
}

/// All accounts of a file, by name.
#[derive(Clone, Debug, Default)]
pub struct Accounts(Vec<Account>);

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    account: Vec<Account>,
}

impl Accounts {
    /// Reads the text of a file.
    ///
    /// # Errors
    /// Every fault, by account.
    pub fn parse(text: &str) -> Result<Self, Vec<String>> {
        let file = toml::from_str::<File>(text);
        // The message quotes no value: the line could hold a hash.
        let file = file.map_err(|error| vec![error.message().to_owned()])?;
        let mut faults = Vec::new();
        if file.account.len() > ACCOUNTS_MAX {
            faults.push(format!("more than {ACCOUNTS_MAX} accounts"));
        }
        let mut accounts = Self::default();
        for account in file.account {
            let name = account.name.clone();
            if let Err(fault) =
                check_name(&name).and_then(|()| check_display(&account.display_name))
            {
                faults.push(format!("{name:?}: {fault}"));
            } else if !passwords::is_hash(&account.password) {
                faults.push(format!(
                    "{name}: password is not an Argon2id hash of `lienthong accounts`"
                ));
            } else if accounts.find(&name).is_some() {
                faults.push(format!("{name}: listed twice"));
            } else {
                accounts.0.push(account);
            }
        }
        accounts.0.sort_by(|one, other| one.name.cmp(&other.name));
        if faults.is_empty() {
            Ok(accounts)
        } else {
            Err(faults)
        }
    }

    /// The text of a file.
    fn text(&self) -> String {
        let file = File {
            account: self.0.clone(),
        };
        let accounts =
            toml::to_string_pretty(&file).expect("accounts are texts, a flag and a time");
        format!(
            "# Accounts of the console. Change them with `lienthong accounts`; the console follows at once.\n\n{accounts}"
        )
    }

    /// All, by name.
    pub fn iter(&self) -> impl Iterator<Item = &Account> {
        self.0.iter()
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The account of that name.
    pub fn find(&self, name: &str) -> Option<&Account> {
        self.0.iter().find(|account| account.name == name)
    }

    /// Adds an account.
    ///
    /// # Errors
    /// A name, display name or password that will not do, or a name that is taken.
    pub fn add(
        &mut self,
        (name, display_name): (&str, &str),
        role: OperatorRole,
        password: &str,
        now: Timestamp,
    ) -> Result<(), ConsoleError> {
        check_name(name).map_err(ConsoleError::Refused)?;
        check_display(display_name).map_err(ConsoleError::Refused)?;
        if self.find(name).is_some() {
            return Err(ConsoleError::Refused("an account of that name exists"));
        }
        if self.0.len() >= ACCOUNTS_MAX {
            return Err(ConsoleError::Refused("there are 1,000 accounts already"));
        }
        let account = Account {
            name: name.to_owned(),
            display_name: display_name.trim().to_owned(),
            role,
            password: passwords::hash(password, &[name, display_name])?,
            disabled: false,
            created_at: now,
        };
        self.0.push(account);
        self.0.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(())
    }

    /// Gives an account another role.
    ///
    /// # Errors
    /// There is no such account.
    pub fn set_role(&mut self, name: &str, role: OperatorRole) -> Result<(), ConsoleError> {
        self.change(name)?.role = role;
        Ok(())
    }

    /// Gives an account another password; sessions under the old one end.
    ///
    /// # Errors
    /// There is no such account, or the password will not do.
    pub fn set_password(&mut self, name: &str, password: &str) -> Result<(), ConsoleError> {
        let account = self.change(name)?;
        account.password = passwords::hash(password, &[name, &account.display_name])?;
        Ok(())
    }

    /// Stops an account, or lets it sign in again.
    ///
    /// # Errors
    /// There is no such account.
    pub fn set_disabled(&mut self, name: &str, disabled: bool) -> Result<(), ConsoleError> {
        self.change(name)?.disabled = disabled;
        Ok(())
    }

    /// Removes an account; its sessions end.
    ///
    /// # Errors
    /// There is no such account.
    pub fn remove(&mut self, name: &str) -> Result<(), ConsoleError> {
        self.change(name)?;
        self.0.retain(|account| account.name != name);
        Ok(())
    }

    fn change(&mut self, name: &str) -> Result<&mut Account, ConsoleError> {
        let account = self.0.iter_mut().find(|account| account.name == name);
        account.ok_or(ConsoleError::Refused("there is no account of that name"))
    }
}

fn check_name(name: &str) -> Result<(), &'static str> {
    let begins = name.starts_with(|first: char| first.is_ascii_lowercase());
    let plain =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._-".contains(&byte);
    if begins && (2..=NAME_CHARS_MAX).contains(&name.len()) && name.bytes().all(plain) {
        Ok(())
    } else {
        Err("a name is 2 to 32 of a-z, 0-9, '.', '_', '-', and begins with a letter")
    }
}

fn check_display(display_name: &str) -> Result<(), &'static str> {
    let length = display_name.trim().chars().count();
    if (1..=DISPLAY_NAME_CHARS_MAX).contains(&length) && !display_name.contains(char::is_control) {
        Ok(())
    } else {
        Err("a display name has 1 to 100 characters")
    }
}

#[cfg(test)]
mod tests;
