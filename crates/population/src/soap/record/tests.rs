use lienthong_domain::identity::FieldSet;

use super::super::xml;
use super::*;

fn read_inside(inside: &str) -> Result<Citizen, &'static str> {
    read(&xml::parse(&format!("<CongDan>{inside}</CongDan>")).unwrap())
}

fn whole() -> &'static str {
    "<d:SoDinhDanh xmlns:d='urn:d'> 038191012345 </d:SoDinhDanh><SoCMND>171234567</SoCMND>
     <HoVaTen><Ho>LÊ</Ho><ChuDem>THỊ NGỌC</ChuDem><Ten>HOÀ</Ten></HoVaTen><GioiTinh>2</GioiTinh>
     <DanToc>01</DanToc><TonGiao>00</TonGiao><TinhTrangHonNhan>2</TinhTrangHonNhan><NhomMau>O</NhomMau>
     <NgayThangNamSinh><Nam>1991</Nam><NgayThangNam>19910430</NgayThangNam></NgayThangNamSinh>
     <NoiDangKyKhaiSinh><MaTinhThanh>38</MaTinhThanh></NoiDangKyKhaiSinh>
     <QueQuan><MaTinhThanh>38</MaTinhThanh><MaQuanHuyen>390</MaQuanHuyen><MaPhuongXa>15001</MaPhuongXa>
       <ChiTiet><![CDATA[Thôn 3 &
         xóm <Đình>]]></ChiTiet><QuocGia>VN</QuocGia></QueQuan>
     <ThuongTru><ChiTiet>Số 12</ChiTiet></ThuongTru><NoiOHienTai><QuocGia>VN</QuocGia></NoiOHienTai>
     <QuocTich>VN</QuocTich>
     <Cha><HoVaTen><Ten>LÊ VĂN ĐỨC</Ten></HoVaTen><QuocTich>VN</QuocTich><SoDinhDanh>038065000001</SoDinhDanh></Cha>
     <Me><SoCMND>170000001</SoCMND></Me><VoChong><HoVaTen>TRẦN ANH</HoVaTen></VoChong>
     <NguoiDaiDien><QuocTich>VN</QuocTich></NguoiDaiDien>
     <ChuHo><QuanHe>Chủ hộ</QuanHe><SoDinhDanh>038191012345</SoDinhDanh></ChuHo><SoSoHoKhau>380123456</SoSoHoKhau>"
}

#[test]
fn every_field_has_its_element() {
    let citizen = read_inside(whole()).unwrap();
    assert_eq!(citizen.fields(), FieldSet::all());
    let name = citizen.full_name.unwrap();
    assert_eq!(name.expose().as_str(), "LÊ THỊ NGỌC HOÀ");
    assert_eq!(citizen.birth_date.unwrap().iso(), "1991-04-30");
    assert_eq!(citizen.citizen_number.unwrap().as_str(), "038191012345");
    let town = citizen.home_town.unwrap();
    assert_eq!(
        town.detail.unwrap().expose().as_str(),
        "Thôn 3 & xóm <Đình>"
    );
    assert_eq!(town.district.unwrap().as_str(), "390");
    let father = citizen.father.unwrap();
    assert_eq!(father.full_name.unwrap().expose().as_str(), "LÊ VĂN ĐỨC");
    assert_eq!(
        citizen.spouse.unwrap().full_name.unwrap().expose().as_str(),
        "TRẦN ANH"
    );
    let head = citizen.household_head.unwrap();
    assert_eq!(head.relation.unwrap().as_str(), "Chủ hộ");
}

#[test]
fn names_and_dates_come_in_several_layouts() {
    let name = |inside: &str| {
        let read = read_inside(&format!("<HoVaTen>{inside}</HoVaTen>")).unwrap();
        read.full_name.map(|name| name.expose().as_str().to_owned())
    };
    assert_eq!(name("<Ten>Lê Hoà</Ten>").as_deref(), Some("Lê Hoà"));
    assert_eq!(
        name("<Ho/><ChuDem> </ChuDem><Ten>H&apos;HEN NIÊ</Ten>").as_deref(),
        Some("H'HEN NIÊ")
    );
    assert_eq!(name("\n LÊ\n HOÀ ").as_deref(), Some("LÊ HOÀ"));
    assert_eq!(
        name("<Ten>NGUYỄN VĂN 2</Ten>").as_deref(),
        Some("NGUYỄN VĂN 2"),
        "as recorded"
    );
    assert_eq!(name("<Ten/>"), None);

    let birth = |inside: &str| {
        let read = read_inside(&format!("<NgayThangNamSinh>{inside}</NgayThangNamSinh>")).unwrap();
        read.birth_date.map(BirthDate::iso)
    };
    assert_eq!(birth("<Nam>1931</Nam>").as_deref(), Some("1931"));
    assert_eq!(
        birth("<NgayThangNam/><Nam>1931</Nam>").as_deref(),
        Some("1931")
    );
    assert_eq!(birth("19910430").as_deref(), Some("1991-04-30"));
    assert_eq!(birth(""), None);
}

#[test]
fn what_says_whose_record_it_is_must_be_readable() {
    let bad = [
        "<SoDinhDanh>03819101234</SoDinhDanh>",
        "<SoDinhDanh>không rõ</SoDinhDanh>",
        "<SoCMND>1</SoCMND>",
        "<HoVaTen><Ten>LÊ&#x200B;HOÀ</Ten></HoVaTen>",
        "<NgayThangNamSinh><NgayThangNam>19910431</NgayThangNam></NgayThangNamSinh>",
        "<NgayThangNamSinh><Nam>91</Nam></NgayThangNamSinh>",
    ];
    for inside in bad {
        assert!(read_inside(inside).is_err(), "{inside}");
    }
    let long = format!("<HoVaTen><Ten>{}</Ten></HoVaTen>", "A".repeat(251));
    assert!(read_inside(&long).is_err());
}

#[test]
fn another_field_that_cannot_be_read_is_left_out() {
    let inside = "<GioiTinh>9</GioiTinh><DanToc>không thuộc danh mục</DanToc><TonGiao>01</TonGiao>\
        <Cha><SoDinhDanh>x</SoDinhDanh></Cha><Me><SoDinhDanh>x</SoDinhDanh><QuocTich>VN</QuocTich></Me>\
        <QueQuan><MaTinhThanh>mười bốn ký tự</MaTinhThanh></QueQuan><ThuongTru/>";
    let citizen = read_inside(inside).unwrap();
    assert_eq!(citizen.fields().to_string(), "religion, mother");
    assert_eq!(read_inside(""), Ok(Citizen::default()));
}
