//! Connections for reading beside the writer. They are opened when first needed and used again.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use rusqlite::Connection;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::schema;
use crate::StoreError;

/// How many reads of the file run at once.
const READERS_MAX: usize = 4;

#[derive(Debug)]
pub(super) struct ReaderPool {
    path: PathBuf,
    idle: Arc<Mutex<Vec<Connection>>>,
    places: Arc<Semaphore>,
}

impl ReaderPool {
    pub(super) fn new(path: PathBuf) -> ReaderPool {
        ReaderPool { path, idle: Arc::default(), places: Arc::new(Semaphore::new(READERS_MAX)) }
    }

    /// The file that is read.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Waits for reads under way, and closes every connection. What is read afterwards is refused.
    pub(super) async fn close(&self) {
        let all = u32::try_from(READERS_MAX).expect("readers are few");
        if let Ok(places) = self.places.acquire_many(all).await {
            self.places.close();
            drop(places);
        }
        self.idle.lock().expect("no thread panics while it holds the connections").clear();
    }

    /// Runs a read on a thread that may block, in a transaction of its own: all it sees is of one moment.
    pub(super) async fn read<Answer: Send + 'static>(
        &self,
        read: impl FnOnce(&Connection) -> rusqlite::Result<Answer> + Send + 'static,
    ) -> Result<Answer, StoreError> {
        let read = self.read_if(|| true, read).await?;
        match read {
            Read::Done(answer) => Ok(answer),
            Read::NotNow(..) => unreachable!("it is always time for it"),
        }
    }

    /// Runs a read if a condition holds that is looked at when its transaction has begun.
    pub(super) async fn read_if<Answer: Send + 'static, Work>(
        &self,
        condition: impl FnOnce() -> bool + Send + 'static,
        read: Work,
    ) -> Result<Read<Answer, Work>, StoreError>
    where
        Work: FnOnce(&Connection) -> rusqlite::Result<Answer> + Send + 'static,
    {
        // Held by the read itself, which goes on when its caller has hung up.
        let place = Arc::clone(&self.places).acquire_owned().await.map_err(|_| StoreError::Closed)?;
        let (idle, path) = (Arc::clone(&self.idle), self.path.clone());
        let work = move || -> rusqlite::Result<Read<Answer, Work>> {
            let spare = idle.lock().expect("no thread panics while it holds the connections").pop();
            let connection = match spare {
                Some(connection) => connection,
                None => schema::open_for_reading(&path)?,
            };
            // A transaction begins with its first read.
            connection.execute_batch("BEGIN; SELECT 1 FROM sqlite_schema LIMIT 1")?;
            if !condition() {
                connection.execute_batch("COMMIT")?;
                return Ok(Read::NotNow(Begun { connection, _place: place }, read));
            }
            Begun { connection, _place: place }.finish(&idle, read).map(Read::Done)
        };
        let read = tokio::task::spawn_blocking(work).await.expect("a read does not panic");
        read.map_err(|error| StoreError::Unreadable(error.to_string()))
    }

    /// Runs a read whose transaction has begun.
    pub(super) async fn finish<Answer: Send + 'static>(
        &self,
        begun: Begun,
        read: impl FnOnce(&Connection) -> rusqlite::Result<Answer> + Send + 'static,
    ) -> Result<Answer, StoreError> {
        let idle = Arc::clone(&self.idle);
        let work = move || begun.finish(&idle, read);
        let answer = tokio::task::spawn_blocking(work).await.expect("a read does not panic");
        answer.map_err(|error| StoreError::Unreadable(error.to_string()))
    }
}

/// What came of a read.
pub(super) enum Read<Answer, Work> {
    Done(Answer),
    /// Its condition did not hold.
    NotNow(Begun, Work),
}

/// A connection with its place among the reads that run at once.
#[derive(Debug)]
pub(super) struct Begun {
    pub(super) connection: Connection,
    _place: OwnedSemaphorePermit,
}

impl Begun {
    fn finish<Answer>(
        self,
        idle: &Mutex<Vec<Connection>>,
        read: impl FnOnce(&Connection) -> rusqlite::Result<Answer>,
    ) -> rusqlite::Result<Answer> {
        let answer = read(&self.connection)?;
        self.connection.execute_batch("COMMIT")?;
        idle.lock().expect("no thread panics while it holds the connections").push(self.connection);
        Ok(answer)
    }
}
