//! Codes that name agencies, dossiers and procedures.
//!
//! All are ASCII and read strictly: lower case, full-width digits and surrounding spaces are
//! refused, because a guessed code is somebody else's dossier. Source: domain.md §2.1.

mod agency;
mod dossier;
mod procedure;

pub use agency::{AgencyCode, AgencyForm, RootCode};
pub use dossier::DossierCode;
pub use procedure::ProcedureCode;

/// Gives a code type that has `parse` and `as_str` its plain `Display`, `Debug`, `FromStr` and
/// serde as a string; reading a stored code parses it again.
macro_rules! text_code {
    ($code:ty) => {
        impl std::fmt::Display for $code {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl std::fmt::Debug for $code {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl std::str::FromStr for $code {
            type Err = crate::fault::Reason;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::parse(text)
            }
        }

        impl serde::Serialize for $code {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> serde::Deserialize<'de> for $code {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <String as serde::Deserialize>::deserialize(deserializer)?;
                Self::parse(&text).map_err(serde::de::Error::custom)
            }
        }
    };
}
pub(crate) use text_code;

/// Gives a fieldless enum its official numbers: `ALL`, `code`, `from_code`, `TryFrom` (which
/// names the list in its reason) and serde as the number.
macro_rules! numeric_code {
    ($code:ident in $list:literal { $($variant:ident = $number:literal),+ $(,)? }) => {
        impl $code {
            /// Every value, in the order of its number.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The official number.
            pub const fn code(self) -> i32 {
                match self {
                    $(Self::$variant => $number),+
                }
            }

            /// The value that has this official number, if any has.
            pub const fn from_code(code: i32) -> Option<Self> {
                match code {
                    $($number => Some(Self::$variant),)+
                    _ => None,
                }
            }
        }

        impl TryFrom<i32> for $code {
            type Error = crate::fault::Reason;

            fn try_from(code: i32) -> Result<Self, Self::Error> {
                Self::from_code(code).ok_or(crate::fault::Reason::UnknownCode { what: $list })
            }
        }

        impl serde::Serialize for $code {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_i32(self.code())
            }
        }

        impl<'de> serde::Deserialize<'de> for $code {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let number = <i32 as serde::Deserialize>::deserialize(deserializer)?;
                Self::try_from(number).map_err(serde::de::Error::custom)
            }
        }
    };
}
pub(crate) use numeric_code;

/// Whether `text` is `min` to `max` ASCII digits and nothing else.
pub(crate) fn is_digits(text: &str, min: usize, max: usize) -> bool {
    (min..=max).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}
