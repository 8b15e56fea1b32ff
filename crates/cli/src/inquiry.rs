//! Why somebody asks about a citizen: the options that every such question needs.

use lienthong_domain::DossierCode;
use lienthong_domain::fault::Reason;
use lienthong_domain::identity::{OfficialId, PurposeCode};
use lienthong_proto::identity::v1 as proto;

use crate::errors::CliError;

/// Purpose, official and dossier of a question.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "Why")]
pub(crate) struct InquiryArgs {
    /// Purpose of the question; the system must hold a grant for it
    #[arg(long, value_name = "CODE")]
    pub(crate) purpose: Option<String>,
    /// Account of the official who asks; not a citizen number
    #[arg(long, value_name = "ACCOUNT")]
    pub(crate) official: Option<String>,
    /// Open dossier that needs the answer, where the purpose wants one
    #[arg(long, value_name = "CODE")]
    pub(crate) dossier: Option<String>,
}

impl InquiryArgs {
    /// The inquiry of the contract.
    ///
    /// # Errors
    /// Every option that is missing or has the wrong form.
    pub(crate) fn message(&self) -> Result<proto::Inquiry, CliError> {
        let text = |option: &Option<String>| option.clone().unwrap_or_default();
        let inquiry = proto::Inquiry {
            purpose_code: text(&self.purpose),
            official_id: text(&self.official),
            dossier_code: text(&self.dossier),
        };
        let dossier = &inquiry.dossier_code;
        let checks = [
            ("--purpose", PurposeCode::parse(&inquiry.purpose_code).err()),
            ("--official", OfficialId::parse(&inquiry.official_id).err()),
            (
                "--dossier",
                self.dossier
                    .as_ref()
                    .and_then(|_named| DossierCode::parse(dossier).err()),
            ),
        ];
        let faults: Vec<_> = checks
            .into_iter()
            .filter_map(|(option, reason)| reason.map(|reason| told(option, reason)))
            .collect();
        if faults.is_empty() {
            Ok(inquiry)
        } else {
            Err(CliError::Usage(faults.concat()))
        }
    }
}

fn told(option: &str, reason: Reason) -> String {
    format!("\n  - {option}: {} {}", reason.vi(), reason.en())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_missing_or_malformed_option_is_named_at_once() {
        let args = InquiryArgs {
            purpose: None,
            official: Some("038191012345".into()),
            dossier: Some("H56".into()),
        };
        let told = args.message().unwrap_err().told();
        for option in ["--purpose", "--official", "--dossier"] {
            assert!(told.contains(option), "{told}");
        }
        assert!(!told.contains("038191012345"), "{told}");
        let right = InquiryArgs {
            purpose: Some("CIVIL_STATUS".into()),
            official: Some("lethihoa.tuphap".into()),
            dossier: None,
        };
        assert_eq!(right.message().unwrap().dossier_code, "");
    }
}
