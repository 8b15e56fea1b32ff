//! Which client certificates get in, and which do not.

use lienthong_transport::{DevelopmentCa, Limits, RefusalKind};
use rcgen::{
    BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, KeyPair, KeyUsagePurpose,
    RsaKeySize,
};
use rustls::version::TLS13;
use rustls_pki_types::PrivateKeyDer;

use crate::support::{Credentials, TRUST_DOMAIN, World, now, participant_params, policy, uri};

#[tokio::test]
async fn a_good_certificate_reaches_the_handler_as_an_identity() {
    let world = World::new();
    let mut server = world.serve(world.server_config(), Limits::default()).await;
    let peer = server.expect_serving(&world).await;
    assert_eq!(peer.identity.participant, "H56");
    assert_eq!(peer.identity.system, "motcua");
    assert_eq!(peer.identity.serial, world.participant_serial);
    assert!(peer.remote_address.ip().is_loopback());
    let (chain, _) = world.participant();
    let parsed = lienthong_transport::PeerIdentity::from_certificate(&chain[0], &policy()).unwrap();
    assert_eq!(*peer.identity, parsed);
    assert_eq!(parsed.spki_sha256_hex().len(), 64);
    assert_eq!(server.refused(), []);
    assert_eq!(server.counters.accepted_total(), 1);
}

#[tokio::test]
async fn an_unchanged_copy_of_the_odd_certificate_is_good() {
    // Without this, the refusals below could all have one and the same uninteresting cause.
    let world = World::new();
    let server = world.serve(world.server_config(), Limits::default()).await;
    let config = world.client_config(world.odd_participant(|_| {}), &[&TLS13]);
    let connector = tokio_rustls::TlsConnector::from(std::sync::Arc::new(config));
    let name = rustls_pki_types::ServerName::try_from("localhost").unwrap();
    let _stream = connector.connect(name, server.tcp().await).await.unwrap();
    crate::support::until("accepted", || server.counters.accepted_total() == 1).await;
}

#[tokio::test]
async fn bad_certificates_are_refused() {
    use RefusalKind::{Certificate, Identity};
    let world = World::new();
    let cases: Vec<(&str, RefusalKind, Credentials)> = vec![
        ("foreign CA", Certificate, World::new().participant()),
        ("self-signed", Certificate, self_signed()),
        ("expired", Certificate, world.odd_participant(expired)),
        (
            "not yet valid",
            Certificate,
            world.odd_participant(not_yet_valid),
        ),
        (
            "server certificate",
            Certificate,
            world.odd_participant(for_servers),
        ),
        (
            "CA certificate",
            Certificate,
            world.odd_participant(authority),
        ),
        (
            "no purpose",
            Identity,
            world.odd_participant(|p| p.extended_key_usages.clear()),
        ),
        (
            "no signatures",
            Identity,
            world.odd_participant(no_signatures),
        ),
        (
            "no key usage",
            Identity,
            world.odd_participant(|p| p.key_usages.clear()),
        ),
        ("signs CRLs", Identity, world.odd_participant(signs_crls)),
        ("too long", Identity, world.odd_participant(too_long)),
        ("weak key", Identity, weak_key(&world)),
    ];
    expect_all_refused(&world, cases).await;
}

#[tokio::test]
async fn no_certificate_is_refused() {
    let world = World::new();
    let server = world.serve(world.server_config(), Limits::default()).await;
    server
        .connect_refused(world.client_config(None, &[&TLS13]))
        .await;
    server
        .expect_refused(&[(RefusalKind::Certificate, 1)], "no certificate")
        .await;
}

#[tokio::test]
async fn bad_names_are_refused() {
    use RefusalKind::Identity;
    let world = World::new();
    let cases: Vec<(&str, RefusalKind, Credentials)> = vec![
        (
            "no name",
            Identity,
            world.odd_participant(|p| p.subject_alt_names.clear()),
        ),
        ("two names", Identity, world.odd_participant(two_names)),
        (
            "foreign domain",
            Identity,
            named(&world, "spiffe://other.vn/H56/motcua"),
        ),
        (
            "one segment",
            Identity,
            named(&world, &format!("spiffe://{TRUST_DOMAIN}/H56")),
        ),
        (
            "three segments",
            Identity,
            named(&world, &format!("spiffe://{TRUST_DOMAIN}/a/b/c")),
        ),
    ];
    expect_all_refused(&world, cases).await;
}

#[tokio::test]
async fn revocation_lists_decide() {
    let world = World::new();
    let other_ca = DevelopmentCa::create(now()).unwrap();
    let long_ago = now() - jiff::SignedDuration::from_hours(24 * 30);
    let revoked: &[&str] = &[&world.participant_serial];
    let cases = [
        ("not revoked", world.ca.revocation_list(&[], now(), 7), true),
        (
            "another is revoked",
            world.ca.revocation_list(&["0badcafe"], now(), 7),
            true,
        ),
        (
            "revoked",
            world.ca.revocation_list(revoked, now(), 7),
            false,
        ),
        (
            "list expired",
            world.ca.revocation_list(&[], long_ago, 7),
            false,
        ),
        (
            "list of a stranger",
            other_ca.revocation_list(&[], now(), 7),
            false,
        ),
    ];
    for (what, list, good) in cases {
        DevelopmentCa::save_revocation_list(world.folder(), &list.unwrap()).unwrap();
        let mut config = world.server_config();
        config.client_crls = vec![world.path("ca-crl.pem")];
        let mut server = world.serve(config, Limits::default()).await;
        if good {
            server.expect_serving(&world).await;
            assert_eq!(server.refused(), [], "{what}");
        } else {
            server
                .connect_refused(world.client_config(world.participant(), &[&TLS13]))
                .await;
            server
                .expect_refused(&[(RefusalKind::Certificate, 1)], what)
                .await;
        }
    }
}

async fn expect_all_refused(world: &World, cases: Vec<(&str, RefusalKind, Credentials)>) {
    for (what, kind, credentials) in cases {
        let server = world.serve(world.server_config(), Limits::default()).await;
        server
            .connect_refused(world.client_config(credentials, &[&TLS13]))
            .await;
        server.expect_refused(&[(kind, 1)], what).await;
        assert_eq!(server.counters.accepted_total(), 0, "{what}");
    }
}

fn self_signed() -> Credentials {
    let key = KeyPair::generate().unwrap();
    let certificate = participant_params().self_signed(&key).unwrap();
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    (vec![certificate.der().clone()], key)
}

fn named(world: &World, name: &str) -> Credentials {
    world.odd_participant(|params| params.subject_alt_names = vec![uri(name)])
}

fn weak_key(world: &World) -> Credentials {
    let key = KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, RsaKeySize::_2048).unwrap();
    world.odd_participant_with_key(&key, |_| {})
}

fn expired(params: &mut CertificateParams) {
    params.not_after = rcgen::date_time_ymd(2026, 11, 19);
}

fn not_yet_valid(params: &mut CertificateParams) {
    params.not_before = rcgen::date_time_ymd(2026, 11, 21);
}

fn for_servers(params: &mut CertificateParams) {
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
}

fn authority(params: &mut CertificateParams) {
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
}

fn no_signatures(params: &mut CertificateParams) {
    params.key_usages = vec![KeyUsagePurpose::KeyAgreement];
}

fn signs_crls(params: &mut CertificateParams) {
    params.key_usages.push(KeyUsagePurpose::CrlSign);
}

fn too_long(params: &mut CertificateParams) {
    params.not_after = rcgen::date_time_ymd(2027, 12, 6);
}

fn two_names(params: &mut CertificateParams) {
    params
        .subject_alt_names
        .push(uri(&format!("spiffe://{TRUST_DOMAIN}/H57/motcua")));
}
