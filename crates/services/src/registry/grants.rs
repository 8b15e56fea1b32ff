//! Purposes, quota classes and grants of the participants file.

use std::collections::BTreeMap;
use std::sync::Arc;

use lienthong_domain::code::ProcedureCode;
use lienthong_domain::identity::grant::{AskLimits, QuotaClass};
use lienthong_domain::identity::job::ITEMS_MAX;
use lienthong_domain::identity::{Binding, Field, FieldSet, Grant, Mode, Purpose, PurposeCode};
use lienthong_domain::time::local_midnight;
use lienthong_domain::{Reason, Timestamp};
use serde::Deserialize;

/// Most grants of one system.
const GRANTS_MAX: usize = 100;
/// Most procedures of one purpose or grant.
const PROCEDURES_MAX: usize = 1_000;
/// Most different citizens that a quota may allow in a day: guards keep each of them in memory.
const SUBJECTS_MAX: u32 = 1_000_000;
/// Most questions of one official under way at once.
const CONCURRENT_MAX: u32 = 1_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FilePurpose {
    code: String,
    name: String,
    legal_basis: String,
    #[serde(default)]
    dossier: Binding,
    #[serde(default)]
    procedures: Vec<String>,
}

/// The file's form of a [`QuotaClass`] is the class itself.
pub(super) type FileQuotaClass = QuotaClass;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FileGrant {
    purpose: String,
    mode: Mode,
    #[serde(default)]
    fields: Vec<String>,
    #[serde(default)]
    procedures: Vec<String>,
    quota: String,
    #[serde(default)]
    job_items_max: u32,
    valid_from: String,
    valid_until: Option<String>,
}

/// What grants refer to.
pub(super) struct Terms {
    pub(super) purposes: BTreeMap<PurposeCode, Purpose>,
    classes: BTreeMap<String, Arc<QuotaClass>>,
}

impl Terms {
    /// Reads purposes and classes; what is at fault is left out and told.
    pub(super) fn read(
        purposes: Vec<FilePurpose>,
        classes: Vec<FileQuotaClass>,
        faults: &mut Vec<String>,
    ) -> Self {
        let mut terms = Self {
            purposes: BTreeMap::new(),
            classes: BTreeMap::new(),
        };
        for file in purposes {
            let code = file.code.clone();
            let mut fault = |fault: &str| faults.push(format!("purpose {code}: {fault}"));
            if let Some(purpose) = purpose(file, &mut fault)
                && terms
                    .purposes
                    .insert(purpose.code.clone(), purpose)
                    .is_some()
            {
                fault("listed twice");
            }
        }
        for class in classes {
            let name = class.name.clone();
            let mut fault = |fault: &str| faults.push(format!("quota_class {name}: {fault}"));
            check_class(&class, &mut fault);
            if terms
                .classes
                .insert(name.clone(), Arc::new(class))
                .is_some()
            {
                fault("listed twice");
            }
        }
        terms
    }

    /// Reads a system's grants; what is at fault is left out and told.
    pub(super) fn grants(&self, files: Vec<FileGrant>, fault: &mut impl FnMut(&str)) -> Vec<Grant> {
        if files.len() > GRANTS_MAX {
            fault(&format!("grant: at most {GRANTS_MAX}"));
            return Vec::new();
        }
        let mut grants: Vec<Grant> = Vec::new();
        for file in files {
            let purpose = file.purpose.clone();
            let mut fault = |text: &str| fault(&format!("grant {purpose}: {text}"));
            if let Some(grant) = self.grant(&file, &mut fault) {
                if grants.iter().any(|known| known.purpose == grant.purpose) {
                    fault("listed twice; one grant per purpose");
                }
                grants.push(grant);
            }
        }
        grants
    }

    fn grant(&self, file: &FileGrant, fault: &mut impl FnMut(&str)) -> Option<Grant> {
        let code = PurposeCode::parse(&file.purpose).ok();
        let purpose = code.and_then(|code| self.purposes.get(&code));
        if purpose.is_none() {
            fault("no such [[purpose]] in this file");
        }
        let quota = self.classes.get(&file.quota);
        if quota.is_none() {
            fault(&format!("quota: no such [[quota_class]] {:?}", file.quota));
        }
        let fields = fields(&file.fields, file.mode, fault);
        let procedures = procedures(&file.procedures, fault);
        let binding = purpose.map(|purpose| purpose.binding);
        if !procedures.is_empty() && binding.is_some_and(|found| found != Binding::Required) {
            fault("procedures: the purpose does not look at dossiers, so nobody would check them");
        }
        if file.job_items_max > ITEMS_MAX {
            fault(&format!("job_items_max: at most {ITEMS_MAX}"));
        }
        if file.job_items_max > 0 && file.mode == Mode::Usage {
            fault("job_items_max: jobs verify; a grant for usage records has none");
        }
        let valid_from = instant("valid_from", &file.valid_from, fault);
        let until = file.valid_until.as_deref();
        let valid_until = until.map(|text| instant("valid_until", text, fault));
        if let (Some(from), Some(Some(until))) = (valid_from, valid_until)
            && until <= from
        {
            fault("valid_until: must be after valid_from");
        }
        Some(Grant {
            purpose: purpose?.code.clone(),
            mode: file.mode,
            fields,
            procedures,
            quota: quota?.clone(),
            job_items_max: file.job_items_max,
            valid_from: valid_from?,
            valid_until: valid_until.flatten(),
        })
    }
}

fn purpose(file: FilePurpose, fault: &mut impl FnMut(&str)) -> Option<Purpose> {
    let code = PurposeCode::parse(&file.code);
    if let Err(reason) = code {
        fault(&format!("code: {}", reason.en()));
    }
    for (key, text) in [("name", &file.name), ("legal_basis", &file.legal_basis)] {
        if text.trim().is_empty() {
            fault(&format!("{key}: must not be empty"));
        }
    }
    let procedures = procedures(&file.procedures, fault);
    if !procedures.is_empty() && file.dossier != Binding::Required {
        fault("procedures: only a purpose with `dossier = \"required\"` checks them");
    }
    Some(Purpose {
        code: code.ok()?,
        name: file.name,
        legal_basis: file.legal_basis,
        binding: file.dossier,
        procedures,
    })
}

fn check_class(class: &QuotaClass, fault: &mut impl FnMut(&str)) {
    let levels = [
        ("participant", class.participant),
        ("system", class.system),
        ("official", class.official),
    ];
    for (level, limits) in levels {
        let AskLimits {
            per_second_max,
            subjects_per_hour_max: hour,
            subjects_per_day_max: day,
        } = limits;
        if per_second_max == 0 || hour == 0 {
            fault(&format!("{level}: every limit is at least 1"));
        }
        if hour > day || day > SUBJECTS_MAX {
            fault(&format!(
                "{level}: subjects_per_hour_max <= subjects_per_day_max <= {SUBJECTS_MAX}"
            ));
        }
    }
    if !(1..=CONCURRENT_MAX).contains(&class.official_concurrent_max) {
        fault(&format!("official_concurrent_max: 1 to {CONCURRENT_MAX}"));
    }
    if class.dossier_subjects_max == 0 {
        fault("dossier_subjects_max: at least 1");
    }
}

fn fields(names: &[String], mode: Mode, fault: &mut impl FnMut(&str)) -> FieldSet {
    if mode == Mode::Usage && !names.is_empty() {
        fault("fields: a grant for usage records has none");
    }
    if mode == Mode::Disclose && names.is_empty() {
        fault("fields: a grant for disclosing needs at least one");
    }
    let known = names.iter().filter_map(|name| {
        let field = Field::from_name(name);
        if field.is_none() {
            fault(&format!("fields: no such field {name:?}"));
        }
        field
    });
    known.collect()
}

fn procedures(codes: &[String], fault: &mut impl FnMut(&str)) -> Vec<ProcedureCode> {
    if codes.len() > PROCEDURES_MAX {
        fault(&format!("procedures: at most {PROCEDURES_MAX}"));
        return Vec::new();
    }
    let known = codes.iter().filter_map(|code| {
        let read = ProcedureCode::parse(code);
        if let Err(reason) = read {
            fault(&format!("procedures: {code:?}: {}", reason.en()));
        }
        read.ok()
    });
    known.collect()
}

/// A date means its first instant in Vietnam; a full instant means itself.
fn instant(key: &str, text: &str, fault: &mut impl FnMut(&str)) -> Option<Timestamp> {
    let read = text
        .parse::<Timestamp>()
        .ok()
        .or_else(|| local_midnight(text));
    if read.is_none() {
        let reason = Reason::BadForm {
            expected: "2026-01-01",
        };
        fault(&format!("{key}: {}", reason.en()));
    }
    read
}

#[cfg(test)]
mod tests;
