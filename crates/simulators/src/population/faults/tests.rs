use super::*;

fn dice(rules: Vec<FaultRule>) -> FaultDice {
    FaultDice::new(FaultScript { seed: 7, rules }).expect("the rules are in bounds")
}

fn struck(dice: &mut FaultDice, calls: usize) -> Vec<bool> {
    (0..calls)
        .map(|_| dice.roll(Some(Service::LookUp)).strike.is_some())
        .collect()
}

#[test]
fn rules_strike_when_they_say() {
    for (when, expected) in [
        (When::Always, [true, true, true, true]),
        (When::First(2), [true, true, false, false]),
        (When::Calls { from: 2, to: 3 }, [false, true, true, false]),
        (When::Probability(0.0), [false; 4]),
        (When::Probability(1.0), [true; 4]),
    ] {
        let rule = FaultRule {
            when,
            ..FaultRule::always(Fault::Cut)
        };
        assert_eq!(struck(&mut dice(vec![rule]), 4), expected, "{when:?}");
    }
}

#[test]
fn chance_is_seeded_and_about_right() {
    let rule = FaultRule {
        when: When::Probability(0.25),
        ..FaultRule::always(Fault::Cut)
    };
    let first = struck(&mut dice(vec![rule.clone()]), 4_000);
    assert_eq!(first, struck(&mut dice(vec![rule]), 4_000));
    let count = first.into_iter().filter(|struck| *struck).count();
    assert!((900..1_100).contains(&count), "{count}");
}

#[test]
fn a_rule_concerns_its_services_only_and_counts_only_those() {
    let mut dice = dice(vec![FaultRule {
        when: When::First(1),
        services: vec![Service::Match],
        ..FaultRule::always(Fault::Cut)
    }]);
    assert_eq!(dice.roll(Some(Service::LookUp)).strike, None);
    assert_eq!(dice.roll(None).strike, None);
    assert_eq!(dice.roll(Some(Service::Match)).strike, Some(Fault::Cut));
    assert_eq!(dice.roll(Some(Service::Match)).strike, None);
}

#[test]
fn latencies_add_up_and_the_first_other_fault_wins() {
    let latency = FaultRule::always(Fault::Latency(Latency::Fixed { ms: 5 }));
    let plan = dice(vec![
        latency.clone(),
        FaultRule::always(Fault::Garbage),
        FaultRule::always(Fault::Cut),
        latency,
    ])
    .roll(None);
    assert_eq!((plan.delay_ms, plan.strike), (10, Some(Fault::Garbage)));
    assert_eq!(plan.names, ["latency", "garbage", "latency"]);
}

#[test]
fn latencies_keep_to_their_bounds_and_means() {
    let mean_of = |latency| {
        let mut dice = dice(vec![FaultRule::always(Fault::Latency(latency))]);
        let delays: Vec<_> = (0..4_000).map(|_| dice.roll(None).delay_ms).collect();
        let sum: u64 = delays.iter().sum();
        (
            sum / 4_000,
            delays.iter().copied().min(),
            delays.iter().copied().max(),
        )
    };
    assert_eq!(mean_of(Latency::Fixed { ms: 9 }), (9, Some(9), Some(9)));
    let (mean, min, max) = mean_of(Latency::Uniform {
        ms_min: 10,
        ms_max: 20,
    });
    assert_eq!((mean, min, max), (15, Some(10), Some(20)));
    let (mean, _, max) = mean_of(Latency::Exponential {
        ms_mean: 100,
        ms_max: 5_000,
    });
    assert!((90..120).contains(&mean), "{mean}");
    assert!(max > Some(400) && max <= Some(5_000), "{max:?}");
}

#[test]
fn scripts_out_of_bounds_are_refused_by_rule() {
    let wrong = [
        Fault::Latency(Latency::Fixed { ms: 600_001 }),
        Fault::Latency(Latency::Uniform {
            ms_min: 2,
            ms_max: 1,
        }),
        Fault::Status { code: 200 },
        Fault::SoapFault {
            message: "x".repeat(1_001),
        },
        Fault::SlowDrip {
            bytes: 0,
            every_ms: 1,
        },
        Fault::SlowDrip {
            bytes: 1,
            every_ms: 600_001,
        },
    ];
    let wrong_chance = FaultRule {
        when: When::Probability(f64::NAN),
        ..FaultRule::always(Fault::Cut)
    };
    let wrong = wrong.map(FaultRule::always);
    for rule in wrong.into_iter().chain([wrong_chance]) {
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
        {"fault":{"latency":{"fixed":{"ms":1}}}},
        {"fault":{"latency":{"uniform":{"ms_min":1,"ms_max":2}}}},
        {"fault":{"latency":{"exponential":{"ms_mean":1,"ms_max":2}}}},
        {"fault":{"status":{"code":503}},"when":{"probability":0.5},"services":["token"]},
        {"fault":{"soap_fault":{"message":"Lỗi hệ thống"}},"when":{"first":3}},
        {"fault":{"busy":{"retry_after_s":3}},"when":{"calls":{"from":1,"to":2}}},
        {"fault":{"busy":{"retry_after_s":3,"as_soap_fault":true}}},
        {"fault":"garbage"},{"fault":"truncated"},{"fault":"empty_body"},{"fault":"huge_body"},
        {"fault":"wrong_namespace"},{"fault":"half_open"},{"fault":"cut"},
        {"fault":"other_person","services":["TraCuuThongTinCongDan","XacThucThongTinCongDan"]},
        {"fault":"cut_mid_answer"},{"fault":{"slow_drip":{"bytes":1,"every_ms":2}}},
        {"fault":"expire_tokens"},{"fault":"down","when":"always"}]}"#;
    let script = FaultScript::from_json(text).expect("the script is right");
    let again = serde_json::to_string(&script).expect("a script is JSON");
    assert_eq!(
        FaultScript::from_json(&again).expect("what was written is right"),
        script
    );
    assert!(FaultScript::from_json(r#"{"rules":[{"fault":"down","wen":"always"}]}"#).is_err());
}
