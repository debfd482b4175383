//! Connections for reading beside the writer. They are opened when first needed and used again.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use rusqlite::Connection;
use tokio::sync::Semaphore;

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
        // Held by the read itself, which goes on when its caller has hung up.
        let place = Arc::clone(&self.places).acquire_owned().await.map_err(|_| StoreError::Closed)?;
        let (idle, path) = (Arc::clone(&self.idle), self.path.clone());
        let work = move || -> rusqlite::Result<Answer> {
            let _place = place;
            let spare = idle.lock().expect("no thread panics while it holds the connections").pop();
            let mut connection = match spare {
                Some(connection) => connection,
                None => schema::open_for_reading(&path)?,
            };
            let transaction = connection.transaction()?;
            let answer = read(&transaction)?;
            transaction.finish()?;
            idle.lock().expect("no thread panics while it holds the connections").push(connection);
            Ok(answer)
        };
        let answer = tokio::task::spawn_blocking(work).await.expect("a read does not panic");
        answer.map_err(|error| StoreError::Unreadable(error.to_string()))
    }
}
