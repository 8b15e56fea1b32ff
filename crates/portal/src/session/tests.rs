use std::sync::atomic::{AtomicU32, Ordering};

use super::*;

const LIFETIME: Duration = Duration::from_mins(10);
const PAUSE: Duration = Duration::from_secs(2);

fn sessions() -> Arc<Sessions> {
    Arc::new(Sessions::new(LIFETIME, PAUSE))
}

/// Logs in, taking a second, and counts.
async fn login(logins: &AtomicU32) -> Result<String, Verdict> {
    let number = logins.fetch_add(1, Ordering::SeqCst) + 1;
    tokio::time::sleep(Duration::from_secs(1)).await;
    Ok(format!("phiên-{number}"))
}

async fn refused(logins: &AtomicU32) -> Result<String, Verdict> {
    login(logins).await?;
    Err(Verdict::not_now(
        "LOGIN_REFUSED",
        Some(200),
        "Sai tên đăng nhập hoặc mật khẩu",
    ))
}

async fn token(sessions: &Sessions, logins: &AtomicU32) -> String {
    sessions
        .current(login(logins))
        .await
        .map(|session| session.token.to_string())
        .unwrap()
}

#[tokio::test(start_paused = true)]
async fn many_callers_cause_one_login() {
    let (sessions, logins) = (sessions(), Arc::new(AtomicU32::new(0)));
    let mut callers = tokio::task::JoinSet::new();
    for _ in 0..50 {
        let (sessions, logins) = (Arc::clone(&sessions), Arc::clone(&logins));
        callers.spawn(async move { token(&sessions, &logins).await });
    }
    let tokens = callers.join_all().await;
    assert_eq!(tokens, vec!["phiên-1"; 50]);
    assert_eq!(logins.load(Ordering::SeqCst), 1);
}

#[tokio::test(start_paused = true)]
async fn a_session_lives_from_the_moment_it_was_asked_for() {
    let (sessions, logins) = (sessions(), AtomicU32::new(0));
    assert_eq!(token(&sessions, &logins).await, "phiên-1");
    // The login took one second of the ten minutes.
    tokio::time::advance(Duration::from_millis(598_500)).await;
    assert_eq!(token(&sessions, &logins).await, "phiên-1");
    tokio::time::advance(Duration::from_secs(1)).await;
    assert_eq!(token(&sessions, &logins).await, "phiên-2");
}

#[tokio::test(start_paused = true)]
async fn a_late_failure_does_not_throw_a_newer_session_away() {
    let (sessions, logins) = (sessions(), AtomicU32::new(0));
    let first = sessions
        .current(login(&logins))
        .await
        .unwrap_or_else(|_| panic!("it logs in"));
    sessions.invalidate(first.generation).await;
    assert_eq!(token(&sessions, &logins).await, "phiên-2");
    sessions.invalidate(first.generation).await;
    assert_eq!(token(&sessions, &logins).await, "phiên-2");
}

#[tokio::test(start_paused = true)]
async fn a_failed_login_answers_everybody_for_a_while() {
    let (sessions, logins) = (sessions(), AtomicU32::new(0));
    for _ in 0..10 {
        let verdict = sessions.current(refused(&logins)).await.err().unwrap();
        assert_eq!(verdict.code, "LOGIN_REFUSED");
        sessions.invalidate(0).await;
    }
    assert_eq!(logins.load(Ordering::SeqCst), 1);
    tokio::time::advance(PAUSE).await;
    assert_eq!(token(&sessions, &logins).await, "phiên-2");
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_gives_up_leaves_the_login_to_the_next() {
    let (sessions, logins) = (sessions(), AtomicU32::new(0));
    let hurried = tokio::time::timeout(Duration::from_millis(10), token(&sessions, &logins)).await;
    assert!(hurried.is_err());
    assert_eq!(token(&sessions, &logins).await, "phiên-2");
}
