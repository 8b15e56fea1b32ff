//! A running simulator, a client with a session, and bodies as an adapter would send them.

use std::error::Error as _;
use std::time::Duration;

use lienthong_simulators::portal::{
    Bound, FaultScript, PortalConfig, PortalHandle, PortalSimulator,
};
use reqwest::{Client, Response};
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

pub(crate) const CODE: &str = "H56.14-240823-0001";
pub(crate) const OTHER_CODE: &str = "000.08.34.H21-250630-0042";

pub(crate) struct Portal {
    pub(crate) handle: PortalHandle,
    pub(crate) client: Client,
    base_url: String,
    root_url: String,
    stop: CancellationToken,
    tasks: JoinSet<()>,
}

/// An answer whose `error_code` was read whatever its style.
#[derive(Debug, PartialEq)]
pub(crate) struct Told {
    pub(crate) code: i64,
    pub(crate) message: String,
    pub(crate) body: Value,
}

impl Portal {
    pub(crate) async fn start(config: PortalConfig) -> Self {
        let addr = "127.0.0.1:0".parse().expect("a loopback address");
        let bound = PortalSimulator::bind(config, addr)
            .await
            .expect("port 0 is always free");
        Self::run(bound)
    }

    pub(crate) async fn with_faults(script: &str) -> Self {
        let faults = FaultScript::from_json(script).expect("the script is right");
        Self::start(PortalConfig {
            faults,
            ..PortalConfig::default()
        })
        .await
    }

    fn run(bound: Bound) -> Self {
        // An error means that another test of this process was first, which is as good.
        drop(rustls::crypto::aws_lc_rs::default_provider().install_default());
        let client = Client::builder()
            .timeout(Duration::from_secs(20))
            .no_proxy()
            .build()
            .expect("a plain client can be built");
        let (handle, base_url) = (bound.handle(), bound.base_url());
        let root_url = format!("http://{}", bound.addr);
        let stop = CancellationToken::new();
        let mut tasks = JoinSet::new();
        let running = bound.run(stop.clone());
        tasks.spawn(async { running.await.expect("the simulator ends without an error") });
        Self {
            handle,
            client,
            base_url,
            root_url,
            stop,
            tasks,
        }
    }

    /// Stops the simulator and waits for its end.
    pub(crate) async fn stop(mut self) {
        self.stop.cancel();
        self.tasks
            .join_next()
            .await
            .expect("the simulator ran")
            .expect("it did not panic");
    }

    pub(crate) fn admin(&self, path: &str) -> String {
        format!("{}/simulator/{path}", self.root_url)
    }

    pub(crate) async fn post(
        &self,
        path: &str,
        body: &Value,
        headers: &[(&'static str, &str)],
    ) -> reqwest::Result<Response> {
        let url = format!(
            "{}/mapi/{path}?dstcode=VN:GOV:000.00.00.G22:vpcpdvcprovider",
            self.base_url
        );
        let mut request = self.client.post(url).body(body.to_string());
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.send().await
    }

    /// A call that must be answered with the portal's JSON.
    pub(crate) async fn call(&self, body: &Value) -> Told {
        self.marked(body, &[]).await
    }

    pub(crate) async fn marked(&self, body: &Value, headers: &[(&'static str, &str)]) -> Told {
        told(
            self.post("g", body, headers)
                .await
                .expect("the portal answers"),
        )
        .await
    }

    pub(crate) async fn log_in(&self) -> String {
        let body = json!({ "username": "000.00.00.H56", "password": "mật khẩu thử" });
        let told = told(
            self.post("login", &body, &[])
                .await
                .expect("the portal answers"),
        )
        .await;
        assert_eq!(told.code, 0, "{}", told.message);
        told.body["session"]
            .as_str()
            .expect("a login brings a session")
            .to_owned()
    }
}

async fn told(response: Response) -> Told {
    assert_eq!(response.status(), 200);
    let text = response.text().await.expect("the answer arrives whole");
    let body: Value = serde_json::from_str(&text).expect("the answer is JSON");
    let code = match &body["error_code"] {
        Value::String(code) => code.parse().expect("a code is a number"),
        code => code.as_i64().expect("a code is a number"),
    };
    let message = body["message"]
        .as_str()
        .expect("an answer has a message")
        .to_owned();
    Told {
        code,
        message,
        body,
    }
}

pub(crate) fn sync(session: &str, code: &str, updating: bool) -> Value {
    json!({
        "session": session, "madonvi": "H56", "service": "DongBoHoSoMC",
        "isUpdating": if updating { "True" } else { "False" },
        "data": [{
            "MaHoSo": code, "MaTTHC": "1.001193", "TenTTHC": "Đăng ký khai sinh",
            "MaLinhVuc": "G15-HT01", "TenLinhVuc": "Hộ tịch", "KenhThucHien": "2",
            "ChuHoSo": "Lê Thị Ngọc Ánh", "LoaiDoiTuong": "1",
            "TrichYeuHoSo": "Đăng ký khai sinh cho con", "NgayTiepNhan": "20240823081500",
            "TrangThaiHoSo": "2", "HinhThuc": "0", "DonViXuLy": "UBND phường Hạc Thành",
        }],
    })
}

pub(crate) fn progress(session: &str, code: &str, status: &str, occurred: &str) -> Value {
    json!({
        "session": session, "madonvi": "H56", "service": "CapNhatTienDoHoSoMC",
        "data": [{
            "MaHoSo": code, "NguoiXuLy": "Trịnh Văn Quyết", "ThoiDiemXuLy": occurred,
            "NoiDungXuLy": "Chuyển bước xử lý", "TrangThai": status,
        }],
    })
}

pub(crate) fn find(session: &str, code: &str) -> Value {
    json!({ "session": session, "madonvi": "H56", "service": "TraCuuHoSo", "mahoso": code })
}

/// Whether the connection was reset or ended without an answer.
pub(crate) fn is_cut(error: &reqwest::Error) -> bool {
    let mut cause = error.source();
    let mut text = String::new();
    while let Some(error) = cause {
        text = error.to_string();
        cause = error.source();
    }
    text.contains("reset") || text.contains("closed before message completed")
}
