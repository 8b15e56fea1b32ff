//! Everything that a strict server refuses, by table, over HTTP.

use lienthong_simulators::population::{Outcome, PopulationConfig};
use unicode_normalization::UnicodeNormalization;

use crate::harness::{Ask, Database, config, value};

/// Changes to a good request, by replacement of text, and what the fault must mention.
const MALFORMED: [(&str, &str, &str); 34] = [
    ("</e:Envelope>", "", "XML"),
    ("<?xml", "<!DOCTYPE a><?xml", "DOCTYPE"),
    (
        "<e:Header/>",
        "<!DOCTYPE a [<!ENTITY b 'c'>]><e:Header/>",
        "DOCTYPE",
    ),
    ("1.001193<", "&thu;<", "thực thể"),
    ("UTF-8", "UTF-16", "UTF-8"),
    (
        "http://schemas.xmlsoap.org/soap/envelope/",
        "http://www.w3.org/2003/05/soap-envelope",
        "SOAP 1.1",
    ),
    (
        "http://dancuquocgia.bca",
        "http://www.mic.gov.vn/dancu/1.0",
        "Dịch vụ",
    ),
    ("TraCuuThongTinCongDan", "TraCuuKhac", "Dịch vụ"),
    ("<e:Body>", "<e:Body/><e:Body>", "Body"),
    ("<e:Body>", "<e:Body><d:x/>", "Body"),
    ("<e:Body>", "<e:Body>chữ", "Body"),
    ("<d:MaYeuCau>yc</d:MaYeuCau>", "", "MaYeuCau"),
    ("<d:MaYeuCau>yc</d:MaYeuCau>", "<d:MaYeuCau/>", "MaYeuCau"),
    ("<d:MaYeuCau>yc<", "<d:MaYeuCau>mã có dấu<", "MaYeuCau"),
    (
        "<d:MaYeuCau>yc</d:MaYeuCau>",
        "<MaYeuCau>yc</MaYeuCau>",
        "MaYeuCau",
    ),
    ("<d:MaDVC>1.001193</d:MaDVC>", "", "MaDVC"),
    (
        "<d:MaDVC>1.001193</d:MaDVC><d:MaTichHop>037</d:MaTichHop>",
        "<d:MaTichHop>037</d:MaTichHop><d:MaDVC>1.001193</d:MaDVC>",
        "MaDVC",
    ),
    (">037<", ">003<", "MaTichHop"),
    (">037<", ">37<", "MaTichHop"),
    ("<d:MaCanBo>cb.hacthanh.01</d:MaCanBo>", "", "MaCanBo"),
    ("cb.hacthanh.01<", " cb<", "MaCanBo"),
    (
        "<d:HoVaTen>",
        "<d:TaiKhoan>a</d:TaiKhoan><d:HoVaTen>",
        "HoVaTen",
    ),
    (
        "</d:MaCanBo>",
        "</d:MaCanBo><d:TaiKhoan>a</d:TaiKhoan><d:MaDonVi>b</d:MaDonVi>",
        "SoDinhDanh",
    ),
    (
        "<d:SoDinhDanh>",
        "<d:SoCMND>012345678</d:SoCMND><d:SoDinhDanh>",
        "HoVaTen",
    ),
    (
        "</d:SoDinhDanh>",
        "</d:SoDinhDanh><d:SoCMND>012345678</d:SoCMND>",
        "HoVaTen",
    ),
    ("<d:SoDinhDanh>", "<d:SoDinhDanh>0", "SoDinhDanh"),
    ("<d:HoVaTen>NGUYỄN", "<d:HoVaTen>Nguyễn", "HoVaTen"),
    ("<d:HoVaTen>NGUYỄN", "<d:HoVaTen><b/>NGUYỄN", "HoVaTen"),
    (
        "<d:NgayThangNam>19900101</d:NgayThangNam>",
        "",
        "NgayThangNam",
    ),
    ("19900101", "19900230", "NgayThangNam"),
    ("19900101", "1990-1-1", "NgayThangNam"),
    (
        "<d:NgayThangNam>19900101</d:NgayThangNam>",
        "<d:Nam>90</d:Nam>",
        "Nam",
    ),
    (
        "</d:NgayThangNam>",
        "</d:NgayThangNam><d:Nam>1990</d:Nam>",
        "Nam",
    ),
    (
        "</d:NgayThangNamSinh>",
        "</d:NgayThangNamSinh><d:GhiChu>x</d:GhiChu>",
        "GhiChu",
    ),
];

fn good(id: &str) -> String {
    Ask {
        element: "TraCuuThongTinCongDan",
        code: "037",
        id: id.to_owned(),
        subject: "<d:SoDinhDanh>001090000001</d:SoDinhDanh>".to_owned(),
        name: "NGUYỄN VĂN ĐỨC".to_owned(),
        birth: "<d:NgayThangNam>19900101</d:NgayThangNam>".to_owned(),
    }
    .xml()
}

fn assert_fault(case: &str, (status, xml): &(u16, String), mentions: &str) {
    assert_eq!(*status, 500, "{case}: {xml}");
    let code = value(xml, "faultcode").unwrap_or_default();
    assert!(code.ends_with("Client"), "{case}: {xml}");
    let sentence = value(xml, "faultstring").unwrap_or_default();
    assert!(sentence.contains(mentions), "{case}: {sentence}");
}

#[tokio::test]
async fn malformed_requests_are_soap_faults_that_name_the_fault() {
    let database = Database::start(config()).await;
    for (from, to, mentions) in MALFORMED {
        let good = good("yc");
        let bad = good.replace(from, to);
        assert_ne!(bad, good, "{from} is not in a good request");
        let told = database.told(bad).await;
        assert_fault(&format!("{from} -> {to}"), &told, mentions);
    }
    assert_fault("empty", &database.told(String::new()).await, "rỗng");
    let decomposed: String = good("yc").nfd().collect();
    assert_fault("NFD", &database.told(decomposed).await, "NFC");
    let long = good("yc").replace("cb.hacthanh.01", &"a".repeat(151));
    assert_fault("long", &database.told(long).await, "MaCanBo");
    let latin = database
        .request(String::new())
        .body(b"<a>\xC3</a>".to_vec())
        .send()
        .await;
    let latin = latin.expect("an answer");
    assert_fault(
        "bytes",
        &(latin.status().as_u16(), latin.text().await.expect("whole")),
        "UTF-8",
    );

    let stats = database.handle.stats();
    let malformed =
        |outcomes: &std::collections::BTreeMap<Outcome, u64>| outcomes[&Outcome::Malformed];
    let counted = malformed(&stats.outcomes_without_service)
        + stats.outcomes.values().map(malformed).sum::<u64>();
    assert_eq!(counted, 38);
    assert!(
        database.handle.record().entries.is_empty(),
        "nothing could be read"
    );

    // The same id is still good: none of the refusals used it up.
    assert_eq!(database.told(good("yc")).await.0, 200);
    database.stop().await;
}

#[tokio::test]
async fn any_prefix_and_the_newer_fields_are_taken() {
    let database = Database::start(config()).await;
    let newer = "</d:MaCanBo><d:MaDonVi>H56.14</d:MaDonVi><d:TaiKhoan>tk</d:TaiKhoan>\
                 <d:SoDienThoai>0900000000</d:SoDienThoai>";
    let default = |xml: String| xml.replace("xmlns:d=", "xmlns=").replace("d:", "");
    for (case, xml) in [
        ("plain", good("1")),
        ("newer", good("2").replace("</d:MaCanBo>", newer)),
        (
            "prefix",
            good("3").replace("d:", "dancu:").replace(":d=", ":dancu="),
        ),
        ("default", default(good("4"))),
        (
            "old number",
            good("5")
                .replace("SoDinhDanh", "SoCMND")
                .replace("001090000001", "012345678"),
        ),
        ("no header", good("6").replace("<e:Header/>", "")),
        ("indented", good("7").replace("><", ">\n  <")),
        ("reference", good("8").replace("NGUYỄN", "NGUY&#7876;N")),
    ] {
        let (status, answer) = database.told(xml).await;
        assert_eq!(status, 200, "{case}: {answer}");
    }
    database.stop().await;
}

#[tokio::test]
async fn a_request_id_is_good_once() {
    let database = Database::start(PopulationConfig {
        request_ids_max: 2,
        ..config()
    })
    .await;
    assert_eq!(database.told(good("a")).await.0, 200);
    assert_fault("again", &database.told(good("a")).await, "MaYeuCau");
    let other_service = good("a").replace("TraCuu", "XacThuc").replace("037", "003");
    assert_fault(
        "other service",
        &database.told(other_service).await,
        "MaYeuCau",
    );
    for id in ["b", "c", "a"] {
        assert_eq!(
            database.told(good(id)).await.0,
            200,
            "{id}: at most two are remembered"
        );
    }
    let outcomes: Vec<_> = database
        .handle
        .record()
        .entries
        .iter()
        .map(|entry| entry.outcome)
        .collect();
    let (unknown, repeated) = (Outcome::Unknown, Outcome::Repeated);
    assert_eq!(
        outcomes,
        [unknown, repeated, repeated, unknown, unknown, unknown]
    );
    database.stop().await;
}

#[tokio::test]
async fn wrong_http_is_told_by_its_status() {
    let database = Database::start(config()).await;
    let get = database.client.get(&database.endpoint).send().await;
    let get = get.expect("an answer");
    assert_eq!(
        (get.status().as_u16(), &get.headers()["allow"]),
        (405, &"POST".parse().expect("a header"))
    );

    for (id, content_type, status) in [
        ("1", "application/json", 415),
        ("2", "application/soap+xml", 415),
        ("3", "text/xml; charset=utf-16", 415),
        ("4", "text/xml; charset=\"UTF-8\"", 200),
        ("5", "application/xml;charset=utf-8", 200),
    ] {
        let request = database
            .client
            .post(&database.endpoint)
            .header("SOAPAction", "\"\"")
            .header("Content-Type", content_type)
            .body(good(id));
        let told = request.send().await.expect("an answer").status();
        assert_eq!(told, status, "{content_type}");
    }
    let without = database.client.post(&database.endpoint).body(good("kiểu"));
    assert_eq!(without.send().await.expect("an answer").status(), 415);

    for action in [None, Some("\"TraCuu\"")] {
        let mut request = database
            .client
            .post(&database.endpoint)
            .header("Content-Type", "text/xml");
        if let Some(action) = action {
            request = request.header("SOAPAction", action);
        }
        let response = request.body(good("hd")).send().await.expect("an answer");
        let told = (
            response.status().as_u16(),
            response.text().await.expect("whole"),
        );
        assert_fault("action", &told, "SOAPAction");
    }
    assert_eq!(
        database
            .post("x".repeat((64 << 10) + 1))
            .await
            .expect("an answer")
            .status(),
        413
    );
    database.stop().await;
}
