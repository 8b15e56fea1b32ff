//! The dice over windows, chances, services and patterns.

use proptest::prelude::*;

use super::*;

const CODE: &str = "H56.14-240823-0001";

fn dice(rules: Vec<FaultRule>) -> FaultDice {
    FaultDice::new(FaultScript { seed: 7, rules }).expect("the script is within bounds")
}

fn strikes(dice: &mut FaultDice, calls: usize) -> Vec<bool> {
    (0..calls)
        .map(|_| {
            dice.roll(Some(Service::UpdateProgress), &[CODE])
                .strike
                .is_some()
        })
        .collect()
}

#[test]
fn a_window_strikes_exactly_its_calls() {
    let when = When::Calls { from: 2, to: 3 };
    let mut dice = dice(vec![FaultRule {
        when,
        ..FaultRule::always(Fault::Down)
    }]);
    assert_eq!(strikes(&mut dice, 5), [false, true, true, false, false]);
}

#[test]
fn calls_that_a_rule_does_not_concern_do_not_use_up_its_window() {
    let rule = FaultRule {
        when: When::Calls { from: 1, to: 1 },
        services: vec![Service::UpdateProgress],
        dossiers: vec!["H56.*".to_owned()],
        ..FaultRule::always(Fault::ResetAfter)
    };
    let mut dice = dice(vec![rule]);
    assert_eq!(dice.roll(Some(Service::Login), &[]).strike, None);
    assert_eq!(
        dice.roll(Some(Service::UpdateProgress), &["H21.09-250701-0001"])
            .strike,
        None
    );
    assert_eq!(
        dice.roll(Some(Service::UpdateProgress), &[CODE]).strike,
        Some(Fault::ResetAfter)
    );
}

#[test]
fn a_seed_repeats_itself_and_a_chance_is_about_right() {
    let rule = FaultRule {
        when: When::Probability(0.25),
        ..FaultRule::always(Fault::Down)
    };
    let first = strikes(&mut dice(vec![rule.clone()]), 4_000);
    assert_eq!(first, strikes(&mut dice(vec![rule]), 4_000));
    let share = first.iter().filter(|struck| **struck).count();
    assert!(
        (850..1_150).contains(&share),
        "{share} of 4000 at a quarter"
    );
}

#[test]
fn delays_add_up_and_the_first_other_fault_wins() {
    let delay = FaultRule::always(Fault::Delay {
        ms_min: 5,
        ms_max: 5,
    });
    let plan = dice(vec![
        delay.clone(),
        FaultRule::always(Fault::ResetBefore),
        FaultRule::always(Fault::Down),
        delay,
    ])
    .roll(None, &[]);
    assert_eq!(plan.delay_ms, 10);
    assert_eq!(plan.strike, Some(Fault::ResetBefore));
    assert_eq!(plan.names, ["delay", "reset_before", "delay"]);
}

#[test]
fn scripts_out_of_bounds_are_refused_by_rule() {
    let wrong = [
        FaultRule {
            when: When::Probability(1.5),
            ..FaultRule::always(Fault::Down)
        },
        FaultRule {
            when: When::Probability(f64::NAN),
            ..FaultRule::always(Fault::Down)
        },
        FaultRule {
            dossiers: vec!["H*-*".to_owned()],
            ..FaultRule::always(Fault::Down)
        },
        FaultRule::always(Fault::Delay {
            ms_min: 2,
            ms_max: 1,
        }),
        FaultRule::always(Fault::DelayAnswer {
            ms_min: 0,
            ms_max: 600_001,
        }),
        FaultRule::always(Fault::Status { code: 200 }),
    ];
    for rule in wrong {
        let rules = vec![FaultRule::always(Fault::Down), rule.clone()];
        let refused = FaultDice::new(FaultScript { seed: 0, rules }).err();
        assert!(
            matches!(refused, Some(SimulatorError::FaultRule { rule: 2, .. })),
            "{rule:?} passed"
        );
    }
}

#[test]
fn every_fault_reads_back_from_its_json() {
    let text = r#"{"seed":7,"rules":[
        {"fault":{"delay":{"ms_min":1,"ms_max":2}}},
        {"fault":{"status":{"code":503}},"when":{"probability":0.5},"services":["login"]},
        {"fault":{"too_many_requests":{"retry_after_s":3}},"when":{"calls":{"from":1,"to":2}}},
        {"fault":"reset_after","services":["DongBoHoSoMC","CapNhatTienDoHoSoMC"]},
        {"fault":{"wrong_body":{"body":"html"}},"when":"always"},
        {"fault":{"reject":{"message":"Mã TTHC không hợp lệ"}},"dossiers":["H56.*"]},
        {"fault":"expire_session"},{"fault":"down"},{"fault":"reset_before"}]}"#;
    let script = FaultScript::from_json(text).expect("the script is right");
    let again = serde_json::to_string(&script).expect("a script is JSON");
    assert_eq!(
        FaultScript::from_json(&again).expect("what was written is right"),
        script
    );
    assert!(FaultScript::from_json(r#"{"rules":[{"fault":"down","wen":"always"}]}"#).is_err());
}

proptest! {
    #[test]
    fn a_pattern_fits_what_it_was_cut_from(code in "[A-Z0-9.-]{1,20}", at in 0usize..20) {
        let (head, tail): (String, String) =
            (code.chars().take(at).collect(), code.chars().skip(at).collect());
        let wild = format!("{head}*{tail}");
        let head_only = format!("{head}*");
        prop_assert!(fits(&wild, &code));
        prop_assert!(fits(&head_only, &code));
        prop_assert!(fits(&code, &code));
        let longer = format!("{code}!");
        prop_assert!(!fits(&longer, &code));
    }
}
