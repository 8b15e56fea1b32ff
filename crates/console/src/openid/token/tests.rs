use serde_json::json;

use super::*;

const NOW: i64 = 1_800_000_000;

fn expected(anew: bool) -> Expected<'static> {
    let now = Timestamp::from_second(NOW).unwrap();
    Expected {
        issuer: "https://provider.example",
        client_id: "lienthong",
        nonce: "n",
        asked_at: now,
        signed_in_within: SignedDuration::from_secs(if anew { 0 } else { 900 }),
        now,
    }
}

/// The claims of a good token, with some replaced; `null` removes one.
fn judged(changes: &Value, anew: bool) -> Result<(), TokenFault> {
    let mut claims = json!({
        "iss": "https://provider.example", "sub": "7f", "aud": "lienthong", "nonce": "n",
        "exp": NOW + 300, "iat": NOW - 1, "auth_time": NOW,
    });
    let map = claims.as_object_mut().unwrap();
    for (name, value) in changes.as_object().unwrap() {
        map.insert(name.clone(), value.clone());
    }
    map.retain(|_, value| !value.is_null());
    let claims: Claims = serde_json::from_value(claims).map_err(|_| TokenFault::Form)?;
    claims.check(&expected(anew))
}

#[test]
fn each_claim_is_checked_by_itself() {
    use TokenFault::{Audience, Expired, Form, Issuer, Nonce, Times};
    let cases = [
        (json!({}), Ok(())),
        (json!({"iss": "https://provider.example/"}), Err(Issuer)),
        (json!({"iss": null}), Err(Form)),
        (json!({"aud": "other"}), Err(Audience)),
        (json!({"aud": ["lienthong"]}), Ok(())),
        (json!({"aud": []}), Err(Audience)),
        (json!({"aud": ["lienthong", "other"]}), Err(Audience)),
        (
            json!({"aud": ["lienthong", "other"], "azp": "lienthong"}),
            Ok(()),
        ),
        (
            json!({"aud": ["lienthong", "other"], "azp": "other"}),
            Err(Audience),
        ),
        (json!({"azp": "other"}), Err(Audience)),
        (json!({"exp": NOW - 59}), Ok(())),
        (json!({"exp": NOW - 60}), Err(Expired)),
        (json!({"exp": i64::MAX}), Err(Times)),
        (json!({"iat": NOW + 60}), Ok(())),
        (json!({"iat": NOW + 61}), Err(Times)),
        (json!({"iat": NOW - 901}), Err(Times)),
        (json!({"nbf": NOW + 61}), Err(Times)),
        (json!({"nonce": "m"}), Err(Nonce)),
        (json!({"nonce": null}), Err(Nonce)),
        (json!({"sub": ""}), Err(Form)),
    ];
    for (changes, verdict) in cases {
        assert_eq!(judged(&changes, false), verdict, "{changes}");
    }
}

#[test]
fn the_person_has_signed_in_as_recently_as_was_asked_for() {
    let refused = Err(TokenFault::NotAnew);
    let table = [
        (json!(NOW), true, Ok(())),
        (json!(NOW - 60), true, Ok(())),
        (json!(NOW - 61), true, refused),
        (json!(NOW - 61), false, Ok(())),
        (json!(NOW - 960), false, Ok(())),
        (json!(NOW - 961), false, refused),
        (Value::Null, true, refused),
        (Value::Null, false, refused),
    ];
    for (auth_time, anew, verdict) in table {
        let changes = json!({ "auth_time": auth_time });
        assert_eq!(judged(&changes, anew), verdict, "{auth_time} {anew}");
    }
}

#[test]
fn roles_are_found_by_name_or_path() {
    let claims: Claims = serde_json::from_value(json!({
        "iss": "i", "sub": "s", "aud": "a", "exp": 1, "iat": 1,
        "realm_access": { "roles": ["a", 7, "b"] }, "groups": "one", "https://x.example/roles": ["c"],
    }))
    .unwrap();
    assert_eq!(claims.names("realm_access.roles"), ["a", "b"]);
    assert_eq!(claims.names("groups"), ["one"]);
    assert_eq!(claims.names("https://x.example/roles"), ["c"]);
    assert!(claims.names("realm_access.groups").is_empty());
    assert_eq!(claims.text("groups").as_deref(), Some("one"));
}

#[test]
fn tokens_without_a_known_signature_are_refused() {
    for header in [
        r#"{"alg":"none"}"#,
        r#"{"alg":"None","typ":"JWT"}"#,
        r#"{"alg":"HS256"}"#,
        r#"{"alg":"RS512"}"#,
        "{}",
        "",
    ] {
        use base64::Engine;
        let engine = base64::engine::general_purpose::URL_SAFE_NO_PAD;
        let token = format!("{}.{}.", engine.encode(header), engine.encode("{}"));
        assert_eq!(head(&token).err(), Some(TokenFault::Algorithm), "{header}");
    }
    assert_eq!(head(&"a".repeat(20_000)).err(), Some(TokenFault::Form));
}
