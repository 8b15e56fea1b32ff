use super::*;

#[test]
fn a_question_comes_back_as_it_went() {
    let question = Question {
        request_id: "0197-a".to_owned(),
        participant: ParticipantId::parse("H21").unwrap(),
        official: OfficialId::parse("hoa.tuphap").unwrap(),
        procedure: ProcedureCode::parse("1.001193").ok(),
        trace: None,
    };
    let back = question_from_proto(&question_to_proto(&question)).unwrap();
    assert_eq!(format!("{back:?}"), format!("{question:?}"));
}

#[test]
fn a_question_is_told_all_its_faults() {
    let faults = question_from_proto(&proto::Question::default()).unwrap_err();
    assert_eq!(faults.len(), 3);
    let long = "x".repeat(65);
    for id in ["a b", "ẩn", "a_b", long.as_str()] {
        let question = proto::Question {
            request_id: id.to_owned(),
            participant_id: "H21".to_owned(),
            official_id: "hoa".to_owned(),
            procedure_code: String::new(),
        };
        assert!(question_from_proto(&question).is_err(), "{id}");
    }
}
