#!/usr/bin/env python3
"""Writes dossiers.ndjson, one file per province, faulty.ndjson and faulty.csv beside this script.

Seeded and without clock or network: the same files on every machine. Run it from anywhere.
"""

import csv
import json
import random
import unicodedata
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path

HERE = Path(__file__).resolve().parent
TABLES = HERE.parents[1] / "crates" / "domain" / "data"
LAST_DAY = datetime(2026, 10, 31, 23, 59, 59)
MERGER_DAY = datetime(2025, 7, 1)
RANDOM = random.Random(20261031)

# Dossiers by provincial system, then by the province in their codes.
PLAN = {
    "H56": {"H56": 62},
    "H21": {"H21": 44, "H08": 18},
    "H29": {"H29": 34, "H06": 9, "H09": 9},
    "H26": {"H26": 40},
    "H17": {"H17": 24, "H47": 12},
}
# What each system writes: whole call bodies, bare objects, or a mixture.
BARE_SHARE = {"H56": 0.0, "H21": 0.3, "H29": 0.8, "H26": 0.5, "H17": 0.4}
# How often a system keeps a progress line back to send it together with the next one.
CHUNK_SHARE = {"H56": 0.6, "H21": 0.5, "H29": 0.0, "H26": 0.5, "H17": 0.6}

# Agency numbers outside Gia Lai are invented; the names are those of real places and offices.
UNITS = {
    "H56": [("H56.14", "Sở Tư pháp tỉnh Thanh Hóa"), ("H56.22", "UBND phường Hạc Thành"),
            ("H56.31", "UBND phường Sầm Sơn"), ("H56.48", "UBND xã Thọ Xuân")],
    "H29": [("H29.16", "Sở Tư pháp Thành phố Hồ Chí Minh"), ("H29.101", "UBND phường Sài Gòn"),
            ("H29.102", "UBND phường Bến Thành"), ("H29.160", "UBND phường Thủ Dầu Một")],
    "H26": [("H26.15", "Sở Tư pháp thành phố Hà Nội"), ("H26.103", "UBND phường Hoàn Kiếm"),
            ("H26.107", "UBND phường Cầu Giấy"), ("H26.188", "UBND xã Sóc Sơn")],
    "H17": [("H17.12", "Sở Tư pháp thành phố Đà Nẵng"), ("H17.33", "UBND phường Hải Châu"),
            ("H17.51", "UBND phường Hội An"), ("H17.70", "UBND phường Tam Kỳ")],
    "H08": [("H08.27", "UBND thị xã An Nhơn"), ("H08.31", "UBND thành phố Quy Nhơn")],
    "H06": [("H06.25", "UBND thành phố Vũng Tàu")],
    "H09": [("H09.30", "UBND thành phố Thủ Dầu Một")],
    "H47": [("H47.18", "UBND thành phố Hội An"), ("H47.22", "UBND thành phố Tam Kỳ")],
}
FIELD_CODES = {
    "Hộ tịch": "G15-HT", "Nuôi con nuôi": "G15-NCN", "Đăng ký cư trú": "G01-CT",
    "Chứng thực": "G15-CT", "Hộ kinh doanh": "G12-HKD", "Hoạt động xây dựng": "G17-HDXD",
    "Việc làm": "G09-VL", "Bảo trợ xã hội": "G18-BTXH", "Người có công": "G09-NCC",
}
FAMILY = "Nguyễn Trần Lê Phạm Hoàng Huỳnh Phan Vũ Võ Đặng Bùi Đỗ Hồ Ngô Dương Lý Rơ_Châm Ksor".split()
MIDDLE = "Văn Thị Ngọc Đức Minh Thanh Hữu Quốc Thùy Xuân Kim Bảo Gia Mỹ".split()
GIVEN = ("Anh Ánh Bình Châu Dũng Đạt Giang Hằng Hiếu Hòa Hương Khánh Lâm Linh Mạnh Nghĩa Nhung "
         "Oanh Phước Quỳnh Sơn Thảo Thủy Trâm Tuấn Tuyết Uyên Việt Yến Ý H'Blan").split()
TITLES = ["Công chức tư pháp - hộ tịch", "Chuyên viên", "Trưởng phòng", "Phó Chủ tịch UBND xã"]

# Paths after the first status; the weights put most dossiers on the ordinary way.
TAILS = [
    ([4, 9, 10], 34), ([4, 4, 9, 10], 10), ([4, 9], 12), ([9, 10], 8), ([4], 12), ([], 6),
    ([4, 5, 4, 9, 10], 9), ([5, 2, 4, 9, 10], 6), ([4, 5], 4), ([6, 4, 9, 10], 7),
    ([4, 6, 9, 10], 4), ([4, 6], 3), ([4, 7], 4), ([5, 7], 2), ([6, 7], 2), ([4, 8], 4),
    ([5, 8], 2), ([6, 8], 2), ([4, 5, 4, 5, 4, 9, 10], 2),
]
NOTES = {
    1: "Công dân nộp hồ sơ trực tuyến", 2: "Tiếp nhận hồ sơ, chuyển bộ phận chuyên môn",
    3: "Hồ sơ không đúng thẩm quyền giải quyết", 4: "Đang thẩm định hồ sơ",
    5: "Yêu cầu bổ sung giấy tờ còn thiếu", 6: "Yêu cầu nộp phí, lệ phí",
    7: "Công dân đề nghị rút hồ sơ", 8: "Dừng xử lý do quá hạn bổ sung",
    9: "Đã ký kết quả giải quyết", 10: "Đã trả kết quả cho công dân",
}


def rows(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def load_tables():
    provinces = {row["agency_code"]: row for row in rows(TABLES / "provinces.csv")}
    procedures = [row for row in rows(TABLES / "procedures.csv")]
    allowed = {int(row["code"]): {int(code) for code in row["allowed_next"].split()}
               for row in rows(TABLES / "dossier_statuses.csv")}
    gia_lai = [(row["code"], row["name"]) for row in rows(HERE / "gialai_units.csv")]
    assert all(provinces[old]["merged_into_agency_code"] in ("", system)
               for system, olds in PLAN.items() for old in olds)
    return provinces, procedures, allowed, {**UNITS, "H21": gia_lai}


def wire(moment):
    assert moment <= LAST_DAY
    return moment.strftime("%Y%m%d%H%M%S")


def person():
    name = f"{RANDOM.choice(FAMILY)} {RANDOM.choice(MIDDLE)} {RANDOM.choice(GIVEN)}"
    return name.replace("_", " ")


def office_time(moment):
    """The next moment at which an office is open."""
    if moment.hour >= 17:
        moment = (moment + timedelta(days=1)).replace(hour=7, minute=RANDOM.randint(30, 59))
    elif moment.hour < 8:
        moment = moment.replace(hour=8)
    while moment.weekday() >= 5:
        moment += timedelta(days=1)
    return moment


class Dossier:
    """One dossier on its way; `events` are (status, moment)."""

    serial = Counter()

    def __init__(self, system, province, tables, forced=None):
        provinces, procedures, allowed, units = tables
        self.system = system
        self.procedure = RANDOM.choice(procedures)
        self.decomposed = RANDOM.random() < 0.14
        path = forced or self.choose_path()
        assert all(after in allowed[before] or after == before
                   for before, after in zip(path, path[1:])), path
        self.online = path[0] == 1
        self.walk(path, province)
        # The communes of today are as old as the merger; before it a department handles the dossier.
        departments = [unit for unit in units[province] if unit[1].startswith("Sở")]
        before = self.filed < MERGER_DAY and departments
        self.unit_code, self.unit = RANDOM.choice(before or units[province])
        self.code = self.make_code(province)
        self.officer, self.title = person(), RANDOM.choice(TITLES)
        self.details = self.make_details(provinces[province])

    @staticmethod
    def choose_path():
        if RANDOM.random() < 0.09:
            return RANDOM.choice([[1], [1, 3], [1, 3], [1, 7], [1, 5, 2, 4, 9, 10]])
        tail = RANDOM.choices([tail for tail, _ in TAILS], [weight for _, weight in TAILS])[0]
        return ([1, 2] if RANDOM.random() < 0.55 else [2]) + tail

    def walk(self, path, province):
        merged = province in ("H06", "H08", "H09", "H47")
        first, days = (datetime(2025, 3, 3), 115) if merged else (datetime(2025, 7, 2), 430)
        if not merged and RANDOM.random() < 0.12:
            first, days = datetime(2024, 8, 5), 200
        moment = office_time(first + timedelta(days=RANDOM.randrange(days),
                                               seconds=RANDOM.randrange(8 * 3600, 16 * 3600)))
        self.filed = moment
        self.events = []
        for index, status in enumerate(path):
            if index:
                hours = RANDOM.choice([1, 3, 5, 20, 26, 49, 75])
                moment = office_time(moment + timedelta(hours=hours, seconds=RANDOM.randrange(3600)))
            elif status == 2:
                moment += timedelta(minutes=RANDOM.randrange(0, 15))
            self.events.append((status, moment))

    def time_of(self, status):
        return next((moment for code, moment in self.events if code == status), None)

    def make_code(self, province):
        day = self.filed.strftime("%y%m%d")
        Dossier.serial[self.unit_code, day] += 1
        number = Dossier.serial[self.unit_code, day] + RANDOM.choice([0, 0, 11, 27, 140])
        Dossier.serial[self.unit_code, day] = number
        old_form = self.filed < MERGER_DAY and RANDOM.random() < 0.8
        if old_form:
            unit = f"{RANDOM.randint(0, 39):02}.{int(self.unit_code[-2:]):02}"
            return f"000.{unit}.{province}-{day}-{number:04}"
        return f"{self.unit_code}-{day}-{number:04}"

    def make_details(self, province):
        accepted = self.time_of(2) or self.filed
        name, field = self.procedure["name"], self.procedure["field"]
        owner = person()
        local = f".000.00.00.{province['agency_code']}" if RANDOM.random() < 0.05 else ""
        details = {
            "MaHoSo": self.code, "MaTTHC": self.procedure["code"] + local, "TenTTHC": name,
            "MaLinhVuc": FIELD_CODES[field], "TenLinhVuc": field,
            "KenhThucHien": "2" if self.online else RANDOM.choice("1113"),
            "ChuHoSo": owner, "LoaiDoiTuong": "2" if field == "Hộ kinh doanh" else "1",
            "TrichYeuHoSo": f"{name} - {owner}", "NgayNopHoSo": wire(self.filed),
            "NgayTiepNhan": wire(accepted), "HinhThuc": RANDOM.choice("0001"),
            "DonViXuLy": self.unit, "NoiNopHoSo": "1" if self.online else "2",
            "HoSoCoThanhPhanSoHoa": RANDOM.choice("0111"),
            "TaiKhoanDuocXacThucVoiVNeID": "1" if self.online else "0",
            "DuocThanhToanTrucTuyen": RANDOM.choice("0123"),
            "TaiLieuNop": [self.attachment(number) for number in range(RANDOM.randint(1, 3))],
        }
        if self.time_of(2):
            due = office_time(accepted + timedelta(days=RANDOM.choice([1, 3, 5, 10, 15])))
            details["NgayHenTra"] = wire(min(due, LAST_DAY))
        if RANDOM.random() < 0.05:
            serial = RANDOM.randint(1, 999)
            number = f"{province['citizen_number_prefix']}1{RANDOM.randint(70, 99)}000{serial:03}"
            details["DinhDanhCHS"] = [{"LoaiDinhDanh": "1", "SoDinhDanh": number}]
        if RANDOM.random() < 0.35 or self.time_of(6):
            details["DanhSachLePhi"] = self.fees(name)
        if RANDOM.random() < 0.3:
            details["DSKetNoiCSDL"] = [{"MaCSDL": "1"}]
        return details

    def attachment(self, number):
        kind = ["Tờ khai", "Giấy chứng sinh", "Bản chụp giấy tờ tùy thân"][number]
        file_id = f"{RANDOM.getrandbits(48):012x}"
        return {"TepDinhKemId": file_id, "TenTepDinhKem": f"{kind}.pdf", "IsDeleted": "False",
                "MaThanhPhanHoSo": f"TP{number + 1:02}", "DuocSoHoa": "1",
                "DuongDanTaiTepTin": f"https://tep.{self.system.lower()}.example.vn/{file_id}",
                "DuocTaiSuDung": RANDOM.choice("012"), "DuocLayTuKhoDMQG": "0"}

    @staticmethod
    def fees(name):
        fees = [{"TenPhiLePhi": f"Lệ phí {name[0].lower()}{name[1:]}", "MaPhiLePhi": "LP01",
                 "HinhThucThu": "1", "Gia": RANDOM.choice(["8000", "15000", "50000", "100000", "0"]),
                 "LoaiPhiLePhi": "2"}]
        if RANDOM.random() < 0.3:
            fees.append({"TenPhiLePhi": "Phí cấp bản sao trích lục", "MaPhiLePhi": "P01",
                         "HinhThucThu": "1", "Gia": "8000", "LoaiPhiLePhi": "1"})
        return fees

    def snapshot(self, index):
        """The whole dossier as it stands right after event `index`."""
        told = dict(self.details, TrangThaiHoSo=str(self.events[index][0]))
        if 2 not in [status for status, _ in self.events[:index + 1]]:
            # The portal demands the field before there is an acceptance; systems send the filing.
            told["NgayTiepNhan"] = told["NgayNopHoSo"]
            told.pop("NgayHenTra", None)
        supplements = []
        for number, (status, moment) in enumerate(self.events[:index + 1]):
            if status == 3:
                told["NgayTuChoi"] = wire(moment)
            elif status == 9:
                told["NgayKetThucXuLy"] = wire(moment)
            elif status == 10:
                told["NgayTra"] = wire(moment)
            elif status == 5:
                supplements.append(self.supplement(number, index))
        if supplements:
            told["DanhSachHoSoBoSung"] = supplements
        if told["TrangThaiHoSo"] in ("9", "10"):
            told["DanhSachGiayToKetQua"] = [{
                "TenGiayTo": f"Kết quả {self.procedure['name']}", "MaThanhPhanHoSo": "KQ01",
                "GiayToId": self.code, "MaGiayToKetQua": "KQ.G15.000001",
                "DuongDanTepTinKetQua": f"https://tep.{self.system.lower()}.example.vn/kq/{self.code}"}]
        return told

    def supplement(self, number, index):
        supplement = {"HoSoBoSungId": f"{self.code}/BS{number}", "NguoiYeuCauBoSung": self.officer,
                      "NoiDungBoSung": "Bổ sung giấy tờ chứng minh nơi cư trú",
                      "NgayBoSung": wire(self.events[number][1]), "TrangThaiBoSung": "0"}
        if number < index and self.events[number + 1][0] in (2, 4):
            supplement["TrangThaiBoSung"] = "1"
            supplement["NguoiTiepNhanBoSung"] = self.officer
            supplement["NgayTiepNhanBoSung"] = wire(self.events[number + 1][1])
        return supplement

    def progress(self, index, note=None, moment=None):
        status, at = self.events[index]
        return {"MaHoSo": self.code, "NguoiXuLy": self.officer, "ChucDanh": self.title,
                "ThoiDiemXuLy": wire(moment or at), "PhongBanXuLy": self.unit,
                "NoiDungXuLy": note or NOTES[status], "TrangThai": str(status)}

    # Which lines the provincial system writes.

    def lines(self):
        """(moment written, JSON text) in the order in which the system writes them."""
        calls, held_back = [], []
        for index, (status, moment) in enumerate(self.events):
            said = moment + timedelta(seconds=1 + RANDOM.randrange(600))
            # NgayTiepNhan is the first acceptance: a second one needs a line to tell its time.
            first_time = status not in [earlier for earlier, _ in self.events[:index]]
            dated = status == 5 or (status in (1, 2, 3, 9, 10) and first_time)
            # The dates of 3, 9 and 10 are in the whole dossier only: the portal has to get it.
            ends = status in (3, 9, 10)
            line = self.progress(index)
            if index == 0 or ends or (dated and RANDOM.random() < 0.5):
                calls.append((said, [self.snapshot(index)], index))
                # The line follows the dossier, as the portal asks; both tell one event.
                if index and RANDOM.random() < 0.5:
                    calls.append((said + timedelta(seconds=2), [line], None))
                continue
            if self.may_arrive_late(index) and RANDOM.random() < 0.15:
                held_back.append(line)
            elif calls[-1][2] is None and RANDOM.random() < CHUNK_SHARE[self.system]:
                calls[-1] = (said, calls[-1][1] + [line], None)
            else:
                calls.append((said, [line], None))
                # Client software also repeats the whole dossier after a line; its status has no
                # date of its own, so the line before tells the time.
                if status in (6, 8) and RANDOM.random() < 0.5:
                    calls.append((said + timedelta(seconds=2), [self.snapshot(index)], index))
        last = calls[-1][0]
        calls += [(last + timedelta(hours=2), [line], None) for line in held_back]
        written = [(said, self.call(data, index)) for said, data, index in calls]
        if RANDOM.random() < 0.09:
            again = RANDOM.randrange(len(written))
            written.insert(again + 1, (written[again][0] + timedelta(seconds=30), written[again][1]))
        return written

    def may_arrive_late(self, index):
        """Without this event the path must still be legal: 2, 5 or 6 straight to the next one."""
        if self.events[index][0] != 4 or index + 1 == len(self.events):
            return False
        before, after = self.events[index - 1][0], self.events[index + 1][0]
        return (before, after) in {(2, 9), (2, 5), (2, 6), (2, 7), (2, 8), (6, 9)}

    def call(self, data, index):
        """The JSON text of a call with whole dossiers, or with progress lines when `index` is None."""
        value = data[0]
        if len(data) > 1 or RANDOM.random() >= BARE_SHARE[self.system]:
            service = {"service": "CapNhatTienDoHoSoMC"} if index is None else {
                "service": "DongBoHoSoMC", "isUpdating": "True" if index else "False"}
            value = {**service, "madonvi": self.system, "data": data}
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
        return unicodedata.normalize("NFD", text) if self.decomposed else text


def write_dossiers(tables):
    # Rare ways that must not depend on luck.
    forced = {"H56": [[1, 3], [1, 7], [2, 6, 4, 9, 10], [2, 4, 8], [2, 4, 6]],
              "H29": [[1, 5, 2, 4, 9, 10], [1, 2, 6]], "H26": [[2, 4, 6]]}
    dossiers = []
    for system, origins in PLAN.items():
        paths = forced.get(system, [])
        for province, count in origins.items():
            for number in range(count):
                path = paths[number] if province == system and number < len(paths) else None
                dossiers.append(Dossier(system, province, tables, path))
    assert len({dossier.code for dossier in dossiers}) == len(dossiers)
    told = [(moment, dossier.system, dossier.code, text)
            for dossier in dossiers for moment, text in dossier.lines()]
    # Stable: the lines of one dossier keep their order.
    told.sort(key=lambda line: line[0])
    (HERE / "dossiers.ndjson").write_bytes("".join(f"{line[3]}\n" for line in told).encode())
    for system in PLAN:
        own = "".join(f"{line[3]}\n" for line in told if line[1] == system)
        (HERE / f"{system}.ndjson").write_bytes(own.encode())
    return dossiers, told


def faulty_lines():
    """(field, reason, raw line); pushed by H56. Reason `ok` marks a right line that a later one needs."""
    def dossier(serial, **changes):
        value = {"MaHoSo": f"H56.14-260914-{serial:04}", "MaTTHC": "1.001193",
                 "TenTTHC": "Đăng ký khai sinh", "MaLinhVuc": "G15-HT", "TenLinhVuc": "Hộ tịch",
                 "KenhThucHien": "1", "ChuHoSo": "Lê Thị Ngọc Ánh", "LoaiDoiTuong": "1",
                 "TrichYeuHoSo": "Đăng ký khai sinh", "NgayNopHoSo": "20260914080000",
                 "NgayTiepNhan": "20260914081500", "NgayHenTra": "20260921170000",
                 "TrangThaiHoSo": "2", "HinhThuc": "0", "DonViXuLy": "UBND phường Hạc Thành"}
        value.update(changes)
        return {name: kept for name, kept in value.items() if kept is not None}

    def progress(serial, **changes):
        value = {"MaHoSo": f"H56.14-260914-{serial:04}", "NguoiXuLy": "Trịnh Văn Hòa",
                 "ThoiDiemXuLy": "20260915093000", "NoiDungXuLy": "Đang thẩm định hồ sơ",
                 "TrangThai": "4"}
        value.update(changes)
        return {name: kept for name, kept in value.items() if kept is not None}

    def line(value):
        return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()

    def sync(*data, **changes):
        return {"service": "DongBoHoSoMC", "isUpdating": "False", "madonvi": "H56",
                "data": list(data), **changes}

    table = [
        ("MaHoSo", "too few digits at the end", dossier(1, MaHoSo="H56.14-260914-001")),
        ("MaHoSo", "lower-case agency", dossier(1, MaHoSo="h56.14-260914-0001")),
        ("MaHoSo", "day that is no day", dossier(1, MaHoSo="H56.14-260931-0001")),
        ("MaHoSo", "agency code alone", dossier(1, MaHoSo="H56.14")),
        ("MaHoSo", "full-width digits", dossier(1, MaHoSo="H56.14-２６０９１４-0001")),
        ("MaHoSo", "province that does not exist", dossier(1, MaHoSo="H99.14-260914-0001")),
        ("MaHoSo", "missing", dossier(1, MaHoSo=None)),
        ("MaHoSo", "empty", dossier(1, MaHoSo="")),
        ("MaHoSo", "missing in a progress line", progress(1, MaHoSo=None)),
        ("MaHoSo", "dossier of another province", dossier(1, MaHoSo="H26.103-260914-0001")),
        ("MaHoSo", "dossier merged into another province", dossier(1, MaHoSo="000.08.34.H08-250609-0001")),
        ("TrangThaiHoSo", "unknown status 11", dossier(2, TrangThaiHoSo="11")),
        ("TrangThaiHoSo", "unknown status 0", dossier(2, TrangThaiHoSo="0")),
        ("TrangThaiHoSo", "a word", dossier(2, TrangThaiHoSo="Đang xử lý")),
        ("TrangThaiHoSo", "missing", dossier(2, TrangThaiHoSo=None)),
        ("TrangThai", "unknown status 11 in a progress line", progress(2, TrangThai="11")),
        ("NgayTiepNhan", "30 February", dossier(3, NgayTiepNhan="20260230081500")),
        ("NgayTiepNhan", "hour 25", dossier(3, NgayTiepNhan="20260914251500")),
        ("NgayTiepNhan", "ISO form", dossier(3, NgayTiepNhan="2026-09-14T08:15:00")),
        ("NgayTiepNhan", "twelve digits", dossier(3, NgayTiepNhan="202609140815")),
        ("NgayTiepNhan", "before NgayNopHoSo", dossier(3, NgayTiepNhan="20260913081500")),
        ("NgayTiepNhan", "far in the future",
         dossier(3, NgayTiepNhan="20990914081500", NgayHenTra="20990921170000")),
        ("ThoiDiemXuLy", "31 June", progress(3, ThoiDiemXuLy="20260631093000")),
        ("ThoiDiemXuLy", "missing", progress(3, ThoiDiemXuLy=None)),
        ("NgayKetThucXuLy", "status 9 without it", dossier(4, TrangThaiHoSo="9")),
        ("NgayTra", "status 10 without it", dossier(4, TrangThaiHoSo="10", NgayKetThucXuLy="20260918100000")),
        ("NgayTra", "before NgayKetThucXuLy",
         dossier(4, TrangThaiHoSo="10", NgayKetThucXuLy="20260918100000", NgayTra="20260917100000")),
        ("NgayTuChoi", "status 3 without it", dossier(4, TrangThaiHoSo="3")),
        ("", "ok", dossier(5, TrangThaiHoSo="3", KenhThucHien="2", NgayTuChoi="20260914160000")),
        ("TrangThai", "forbidden transition 3 to 4", progress(5)),
        ("", "ok",
         dossier(6, TrangThaiHoSo="10", NgayKetThucXuLy="20260918100000", NgayTra="20260918140000")),
        ("TrangThai", "forbidden transition 10 to 4", progress(6, ThoiDiemXuLy="20260919093000")),
        ("", "ok", dossier(7)),
        ("TrangThai", "forbidden transition 2 to 10", progress(7, TrangThai="10")),
        ("TrichYeuHoSo", "1,001 characters", dossier(8, TrichYeuHoSo="ệ" * 1001)),
        ("ChuHoSo", "control characters", dossier(8, ChuHoSo="Lê Thị\u0000 Ngọc\u0007 Ánh")),
        ("NguoiXuLy", "51 characters", progress(7, NguoiXuLy="Nguyễn " * 7 + "An")),
        ("MaTTHC", "not a procedure code", dossier(8, MaTTHC="khai sinh")),
        ("KenhThucHien", "unknown channel", dossier(8, KenhThucHien="4")),
        ("service", "unknown service", sync(dossier(8), service="DongBoGiDo")),
        ("data", "not a list", {**sync(), "data": {}}),
        ("data", "empty list", sync()),
        ("", "neither a dossier nor a progress line", {"MaHoSo": "H56.14-260914-0008"}),
        ("", "not an object", ["H56.14-260914-0008"]),
    ]
    lines = [(field, reason, line(value)) for field, reason, value in table]
    lines.append(("", "JSON cut off", line(dossier(9))[:-40]))
    lines.append(("", "not JSON", "Mã hồ sơ: H56.14-260914-0009".encode()))
    lines.append(("", "bytes that are not UTF-8", line(dossier(9)).replace("Ánh".encode(), b"\xc1nh")))
    return lines


def write_faulty():
    lines = faulty_lines()
    (HERE / "faulty.ndjson").write_bytes(b"".join(raw + b"\n" for _, _, raw in lines))
    with (HERE / "faulty.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["line", "field", "reason"])
        writer.writerows((number, field, reason)
                         for number, (field, reason, _) in enumerate(lines, start=1))
    return lines


def main():
    dossiers, told = write_dossiers(load_tables())
    faulty = write_faulty()
    print(f"{len(dossiers)} dossiers, {len(told)} lines, {len(faulty)} faulty lines")


if __name__ == "__main__":
    main()
