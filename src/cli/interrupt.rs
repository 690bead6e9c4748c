//! Ctrl-C: what it means depends on what is going on. At a question nothing has begun, and the program ends with the
//! terminal as it was; an apply stops after the step in flight; anything else ends at once.

use super::exit::Exit;
use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// Whether a question is on the terminal.
static ASKING: AtomicBool = AtomicBool::new(false);
/// Set by the first Ctrl-C of an apply.
static STOP: OnceLock<Arc<AtomicBool>> = OnceLock::new();
/// The terminal before a question.
static BEFORE: Mutex<Option<terminal::Saved>> = Mutex::new(None);

/// From now on the first Ctrl-C sets this flag, and the second one ends the process.
#[must_use]
pub fn stop_flag() -> Arc<AtomicBool> {
    let flag = STOP.get_or_init(|| Arc::new(AtomicBool::new(false)));
    listen();
    Arc::clone(flag)
}

/// JsonText while a question is asked.
#[must_use]
pub struct Question(());

/// A question begins: Ctrl-C ends the process, and a terminal that hides what is typed is restored.
pub fn question() -> Question {
    *BEFORE.lock().unwrap_or_else(PoisonError::into_inner) = terminal::save();
    ASKING.store(true, Ordering::SeqCst);
    listen();
    Question(())
}

impl Drop for Question {
    fn drop(&mut self) {
        ASKING.store(false, Ordering::SeqCst);
    }
}

/// Asks for a secret. Nothing that is typed is shown, from before the question appears.
///
/// # Errors
/// There is no terminal, or it went away.
pub fn secret(prompt: &str) -> std::io::Result<String> {
    let _question = question();
    let before = || BEFORE.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(before) = before().as_ref() {
        terminal::hide(before);
    }
    super::printer::to_stderr(prompt);
    let asked = std::io::stderr().flush();
    let answer = asked.and_then(|()| rpassword::read_password());
    if let Some(before) = before().as_ref() {
        terminal::restore(before);
    }
    // Ctrl-C may reach this thread before the one that listens.
    if answer.as_ref().is_err_and(|error| error.kind() == std::io::ErrorKind::Interrupted) {
        interrupted();
    }
    answer
}

fn listen() {
    static ONCE: OnceLock<()> = OnceLock::new();
    ONCE.get_or_init(|| {
        let (ready, started) = std::sync::mpsc::channel();
        let thread = std::thread::Builder::new().name("dsvmc-interrupt".into()).spawn(move || {
            let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return };
            runtime.block_on(async {
                loop {
                    let interrupt = tokio::signal::ctrl_c();
                    tokio::pin!(interrupt);
                    // The first poll takes the signal over; from then on none is lost.
                    let first = std::future::poll_fn(|cx| std::task::Poll::Ready(interrupt.as_mut().poll(cx))).await;
                    let _ = ready.send(());
                    let heard = match first {
                        std::task::Poll::Ready(heard) => heard,
                        std::task::Poll::Pending => interrupt.await,
                    };
                    if heard.is_err() {
                        return;
                    }
                    interrupted();
                }
            });
        });
        // Without this thread an interrupt ends the process at once; applying again continues from there.
        if thread.is_ok() {
            let _ = started.recv();
        }
    });
}

fn interrupted() {
    let mut stderr = std::io::stderr();
    if ASKING.load(Ordering::SeqCst) {
        if let Some(before) = BEFORE.lock().unwrap_or_else(PoisonError::into_inner).as_ref() {
            terminal::restore(before);
        }
        let _ = writeln!(stderr);
        leave(Exit::Interrupted);
    }
    match STOP.get() {
        Some(stop) if !stop.swap(true, Ordering::SeqCst) => {
            let _ = writeln!(stderr, "stopping; press Ctrl-C again to quit immediately");
        }
        Some(_) => leave(Exit::Stopped),
        None => leave(Exit::Interrupted),
    }
}

#[expect(clippy::exit, reason = "an interrupt must end the process whatever it does")]
fn leave(exit: Exit) -> ! {
    std::process::exit(i32::from(exit.code()))
}

#[cfg(unix)]
mod terminal {
    use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
    use std::fs::File;

    /// How the terminal was set.
    pub struct Saved(File, Termios);

    pub fn save() -> Option<Saved> {
        let tty = File::options().read(true).write(true).open("/dev/tty").ok()?;
        let set = tcgetattr(&tty).ok()?;
        Some(Saved(tty, set))
    }

    pub fn hide(saved: &Saved) {
        let mut hidden = saved.1.clone();
        hidden.local_modes.remove(LocalModes::ECHO);
        // If this fails, the reader tries again and reports it.
        let _ = tcsetattr(&saved.0, OptionalActions::Now, &hidden);
    }

    pub fn restore(saved: &Saved) {
        // A terminal that is gone needs nothing.
        let _ = tcsetattr(&saved.0, OptionalActions::Now, &saved.1);
    }
}

#[cfg(not(unix))]
mod terminal {
    /// Elsewhere the system sets the console back.
    pub struct Saved;

    pub fn save() -> Option<Saved> {
        None
    }

    pub fn hide(_: &Saved) {}

    pub fn restore(_: &Saved) {}
}
