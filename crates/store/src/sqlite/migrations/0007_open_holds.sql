-- Open holds, newest first, however many have ended since.
CREATE INDEX holds_open_by_id ON holds (id) WHERE status = 'open';
