//! What goes wrong on purpose, call by call.

use std::collections::{HashMap, VecDeque};
use std::pin::Pin;
use std::sync::Mutex;
use std::time::Duration;

use futures::Stream;
use mesh::status::Problem;
use tonic::{Code, Response, Status};

pub type Answer<T> = Result<Response<T>, Status>;
pub type Nothing<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

/// How the next call of a method goes wrong.
#[derive(Clone, Debug)]
pub enum Fault {
    /// It is not done, and nobody says so.
    NotDone,
    /// It is done, and the answer is lost.
    AnswerLost,
    /// It is done, but slowly.
    Slow(Duration),
    /// It is done at once, and the answer comes late.
    Late(Duration),
    /// A clear no, out of order.
    Refused,
}

#[derive(Default)]
pub struct Faults {
    planned: Mutex<HashMap<&'static str, VecDeque<Fault>>>,
    calls: Mutex<HashMap<&'static str, usize>>,
    /// Answers kept by request id, as every service keeps them.
    done: Mutex<HashMap<String, ()>>,
}

impl Faults {
    pub fn plan(&self, method: &'static str, faults: impl IntoIterator<Item = Fault>) {
        self.planned.lock().unwrap().entry(method).or_default().extend(faults);
    }

    pub fn calls(&self, method: &'static str) -> usize {
        self.calls.lock().unwrap().get(method).copied().unwrap_or_default()
    }

    pub fn calls_of_all(&self) -> usize {
        self.calls.lock().unwrap().values().sum()
    }

    pub async fn answer<T>(
        &self,
        method: &'static str,
        effect: impl FnOnce() -> Result<T, Status>,
    ) -> Answer<T> {
        *self.calls.lock().unwrap().entry(method).or_default() += 1;
        let fault = self.planned.lock().unwrap().get_mut(method).and_then(VecDeque::pop_front);
        match fault {
            None => effect().map(Response::new),
            Some(Fault::NotDone) => Err(lost()),
            Some(Fault::AnswerLost) => effect().and_then(|_| Err(lost())),
            Some(Fault::Refused) => {
                Err(Problem::new(Code::FailedPrecondition, "somebody", "REFUSED", "no").status())
            }
            Some(Fault::Slow(time)) => {
                tokio::time::sleep(time).await;
                effect().map(Response::new)
            }
            Some(Fault::Late(time)) => {
                let done = effect().map(Response::new);
                tokio::time::sleep(time).await;
                done
            }
        }
    }

    /// The same for an effect that must happen once per request id.
    pub async fn once<T: Default>(
        &self,
        method: &'static str,
        request_id: &str,
        effect: impl FnOnce() -> Result<T, Status>,
    ) -> Answer<T> {
        let again = self.done.lock().unwrap().contains_key(request_id);
        self.answer(method, || {
            if again {
                return Ok(T::default());
            }
            let answer = effect()?;
            self.done.lock().unwrap().insert(request_id.to_owned(), ());
            Ok(answer)
        })
        .await
    }
}

/// Not UNAVAILABLE: the client stack would try that again by itself.
fn lost() -> Status {
    Status::deadline_exceeded("nobody answered")
}

pub fn unused() -> Status {
    Status::unimplemented("orders does not call this")
}
