CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL,
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
CREATE TABLE answer (
	seq INTEGER NOT NULL,
	request_id VARCHAR NOT NULL,
	at_us BIGINT NOT NULL,
	attempt_id VARCHAR,
	status VARCHAR NOT NULL,
	http_status INTEGER NOT NULL,
	error VARCHAR,
	fields_checked INTEGER NOT NULL,
	fields_flagged INTEGER NOT NULL,
	passed BOOLEAN,
	score_min FLOAT,
	score_mean FLOAT,
	latency_us BIGINT NOT NULL, audit VARCHAR,
	PRIMARY KEY (seq),
	UNIQUE (request_id)
);
CREATE TABLE entry (
	seq INTEGER NOT NULL,
	entry_id VARCHAR NOT NULL,
	attempt_id VARCHAR NOT NULL,
	request_id VARCHAR NOT NULL,
	state VARCHAR NOT NULL,
	at_us BIGINT NOT NULL,
	window_at_us BIGINT NOT NULL,
	attempt_no INTEGER NOT NULL,
	role VARCHAR NOT NULL,
	team VARCHAR NOT NULL,
	key_id VARCHAR NOT NULL,
	"plan" VARCHAR NOT NULL,
	route VARCHAR NOT NULL,
	provider VARCHAR NOT NULL,
	origin VARCHAR NOT NULL,
	model VARCHAR NOT NULL,
	model_served VARCHAR,
	fingerprint VARCHAR,
	upstream_id VARCHAR,
	bound_nano_usd BIGINT NOT NULL,
	cost_nano_usd BIGINT,
	price_id VARCHAR,
	input_uncached INTEGER NOT NULL,
	cache_read INTEGER NOT NULL,
	cache_write_5m INTEGER NOT NULL,
	cache_write_1h INTEGER NOT NULL,
	input_image INTEGER NOT NULL,
	input_audio INTEGER NOT NULL,
	output_text INTEGER NOT NULL,
	output_reasoning INTEGER NOT NULL,
	output_audio INTEGER NOT NULL,
	cpu_us BIGINT NOT NULL,
	gpu_us BIGINT NOT NULL,
	finish_reason VARCHAR,
	error VARCHAR,
	overage BOOLEAN NOT NULL,
	ttft_us BIGINT,
	latency_us BIGINT,
	policy_hash VARCHAR NOT NULL,
	rule_ids VARCHAR NOT NULL,
	simulated BOOLEAN NOT NULL, runs VARCHAR, place VARCHAR, jurisdiction VARCHAR, weights_origin VARCHAR, weights_licence VARCHAR,
	PRIMARY KEY (seq)
);
CREATE INDEX ix_entry_request_id ON entry (request_id);
CREATE INDEX ix_entry_window_at_us ON entry (window_at_us);
CREATE UNIQUE INDEX ux_entry_dispatched ON entry (attempt_id) WHERE state = 'DISPATCHED';
CREATE UNIQUE INDEX ux_entry_ended ON entry (attempt_id) WHERE state IN ('SETTLED', 'SETTLED_ESTIMATED', 'VOID', 'POSTED_WORST');
CREATE UNIQUE INDEX ux_entry_adjusted ON entry (entry_id) WHERE state = 'ADJUST';
CREATE TABLE outcome (
	seq INTEGER NOT NULL,
	outcome_id VARCHAR NOT NULL,
	request_id VARCHAR NOT NULL,
	attempt_id VARCHAR,
	at_us BIGINT NOT NULL,
	source VARCHAR NOT NULL,
	check_name VARCHAR NOT NULL,
	field VARCHAR NOT NULL,
	outcome VARCHAR NOT NULL,
	code VARCHAR NOT NULL,
	reason VARCHAR NOT NULL,
	span_start INTEGER,
	span_end INTEGER,
	score FLOAT,
	flagged BOOLEAN NOT NULL,
	propensity FLOAT NOT NULL,
	simulated BOOLEAN NOT NULL, judge_attempt_id VARCHAR,
	PRIMARY KEY (seq),
	UNIQUE (outcome_id)
);
CREATE INDEX ix_outcome_request_id ON outcome (request_id);
CREATE TABLE request (
	seq INTEGER NOT NULL,
	request_id VARCHAR NOT NULL,
	at_us BIGINT NOT NULL,
	team VARCHAR NOT NULL,
	key_id VARCHAR NOT NULL,
	endpoint VARCHAR NOT NULL,
	model_requested VARCHAR NOT NULL,
	"plan" VARCHAR NOT NULL,
	routes VARCHAR NOT NULL,
	task_kind VARCHAR NOT NULL,
	task_class VARCHAR NOT NULL,
	template_hash VARCHAR NOT NULL,
	label VARCHAR,
	purpose VARCHAR,
	conversation VARCHAR,
	stream BOOLEAN NOT NULL,
	message_count INTEGER NOT NULL,
	document_bytes INTEGER NOT NULL,
	prompt_tokens_bound INTEGER NOT NULL,
	output_tokens_limit INTEGER NOT NULL,
	choices INTEGER NOT NULL,
	hold_nano_usd BIGINT NOT NULL,
	baseline_route VARCHAR,
	baseline_price_id VARCHAR,
	propensity FLOAT NOT NULL,
	features_version INTEGER NOT NULL,
	policy_hash VARCHAR NOT NULL,
	rule_ids VARCHAR NOT NULL,
	simulated BOOLEAN NOT NULL, project VARCHAR, environment VARCHAR,
	PRIMARY KEY (seq),
	UNIQUE (request_id)
);
CREATE INDEX ix_request_at_us ON request (at_us);
CREATE TABLE limit_set (
	seq INTEGER NOT NULL,
	limit_id VARCHAR NOT NULL,
	scope_kind VARCHAR NOT NULL,
	scope_id VARCHAR NOT NULL,
	window VARCHAR NOT NULL,
	amount_nano_usd BIGINT,
	recorded_at_us BIGINT NOT NULL,
	recorded_by VARCHAR NOT NULL,
	reason VARCHAR NOT NULL,
	PRIMARY KEY (seq),
	UNIQUE (limit_id)
);
CREATE TABLE opening (
	seq INTEGER NOT NULL,
	at_us BIGINT NOT NULL,
	process_id INTEGER NOT NULL,
	entry_seq BIGINT NOT NULL,
	request_seq BIGINT NOT NULL,
	attempts_posted INTEGER NOT NULL,
	PRIMARY KEY (seq)
);
CREATE TABLE price (
	seq INTEGER NOT NULL,
	price_id VARCHAR NOT NULL,
	sku VARCHAR NOT NULL,
	tier VARCHAR NOT NULL,
	min_input_tokens INTEGER NOT NULL,
	weekday_mask INTEGER,
	start_minute INTEGER,
	end_minute INTEGER,
	effective_from_us BIGINT NOT NULL,
	effective_to_us BIGINT,
	recorded_at_us BIGINT NOT NULL,
	source VARCHAR NOT NULL,
	source_sha256 VARCHAR NOT NULL,
	input_uncached BIGINT NOT NULL,
	cache_read BIGINT NOT NULL,
	cache_write_5m BIGINT NOT NULL,
	cache_write_1h BIGINT NOT NULL,
	input_image BIGINT NOT NULL,
	input_audio BIGINT NOT NULL,
	output_text BIGINT NOT NULL,
	output_reasoning BIGINT NOT NULL,
	output_audio BIGINT NOT NULL,
	cpu_us BIGINT NOT NULL,
	gpu_us BIGINT NOT NULL,
	PRIMARY KEY (seq),
	UNIQUE (price_id)
);
CREATE INDEX ix_price_sku ON price (sku);
CREATE TRIGGER request_no_update BEFORE UPDATE ON request BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER request_no_delete BEFORE DELETE ON request BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER entry_no_update BEFORE UPDATE ON entry BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER entry_no_delete BEFORE DELETE ON entry BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER answer_no_update BEFORE UPDATE ON answer BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER answer_no_delete BEFORE DELETE ON answer BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER outcome_no_update BEFORE UPDATE ON outcome BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER outcome_no_delete BEFORE DELETE ON outcome BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER price_no_update BEFORE UPDATE ON price BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER price_no_delete BEFORE DELETE ON price BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER limit_set_no_update BEFORE UPDATE ON limit_set BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER limit_set_no_delete BEFORE DELETE ON limit_set BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER opening_no_update BEFORE UPDATE ON opening BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER opening_no_delete BEFORE DELETE ON opening BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TABLE change (
	seq INTEGER NOT NULL,
	change_id VARCHAR NOT NULL,
	at_us BIGINT NOT NULL,
	by_kind VARCHAR NOT NULL,
	by_id VARCHAR NOT NULL,
	by_key_id VARCHAR,
	action VARCHAR NOT NULL,
	object_kind VARCHAR NOT NULL,
	object_id VARCHAR NOT NULL,
	team VARCHAR,
	"before" VARCHAR,
	"after" VARCHAR,
	reason VARCHAR NOT NULL,
	PRIMARY KEY (seq),
	UNIQUE (change_id)
);
CREATE INDEX ix_change_object_id ON change (object_id);
CREATE TRIGGER change_no_update BEFORE UPDATE ON change BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER change_no_delete BEFORE DELETE ON change BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER request_no_replace BEFORE INSERT ON request WHEN EXISTS (SELECT 1 FROM request WHERE seq = NEW.seq) OR EXISTS (SELECT 1 FROM request WHERE request_id = NEW.request_id) BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: this row is there already'); END;
CREATE TRIGGER entry_no_replace BEFORE INSERT ON entry WHEN EXISTS (SELECT 1 FROM entry WHERE seq = NEW.seq) OR EXISTS (SELECT 1 FROM entry WHERE attempt_id = NEW.attempt_id AND state = 'DISPATCHED' AND NEW.state = 'DISPATCHED') OR EXISTS (SELECT 1 FROM entry WHERE attempt_id = NEW.attempt_id AND state IN ('SETTLED', 'SETTLED_ESTIMATED', 'VOID', 'POSTED_WORST') AND NEW.state IN ('SETTLED', 'SETTLED_ESTIMATED', 'VOID', 'POSTED_WORST')) OR EXISTS (SELECT 1 FROM entry WHERE entry_id = NEW.entry_id AND state = 'ADJUST' AND NEW.state = 'ADJUST') BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: this row is there already'); END;
CREATE TRIGGER answer_no_replace BEFORE INSERT ON answer WHEN EXISTS (SELECT 1 FROM answer WHERE seq = NEW.seq) OR EXISTS (SELECT 1 FROM answer WHERE request_id = NEW.request_id) BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: this row is there already'); END;
CREATE TRIGGER outcome_no_replace BEFORE INSERT ON outcome WHEN EXISTS (SELECT 1 FROM outcome WHERE seq = NEW.seq) OR EXISTS (SELECT 1 FROM outcome WHERE outcome_id = NEW.outcome_id) BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: this row is there already'); END;
CREATE TRIGGER price_no_replace BEFORE INSERT ON price WHEN EXISTS (SELECT 1 FROM price WHERE seq = NEW.seq) OR EXISTS (SELECT 1 FROM price WHERE price_id = NEW.price_id) BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: this row is there already'); END;
CREATE TRIGGER limit_set_no_replace BEFORE INSERT ON limit_set WHEN EXISTS (SELECT 1 FROM limit_set WHERE seq = NEW.seq) OR EXISTS (SELECT 1 FROM limit_set WHERE limit_id = NEW.limit_id) BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: this row is there already'); END;
CREATE TRIGGER opening_no_replace BEFORE INSERT ON opening WHEN EXISTS (SELECT 1 FROM opening WHERE seq = NEW.seq) BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: this row is there already'); END;
CREATE TRIGGER change_no_replace BEFORE INSERT ON change WHEN EXISTS (SELECT 1 FROM change WHERE seq = NEW.seq) OR EXISTS (SELECT 1 FROM change WHERE change_id = NEW.change_id) BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: this row is there already'); END;
CREATE INDEX ix_outcome_sample ON outcome (request_id) WHERE check_name = 'sample';
INSERT INTO alembic_version VALUES ('0005');
