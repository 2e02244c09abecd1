-- A ledger file as the first release left it (schema 0001), for the test that migrates one.
BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL,
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0001');
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
	latency_us BIGINT NOT NULL,
	PRIMARY KEY (seq),
	UNIQUE (request_id)
);
INSERT INTO "answer" VALUES(1,'req_00000000000000000000000001',1793563201200000,'att_00000000000000000000000101','answered',200,NULL,4,0,1,NULL,NULL,1200000);
INSERT INTO "answer" VALUES(2,'req_00000000000000000000000002',1793592001200000,'att_00000000000000000000000201','answered',200,NULL,4,1,0,NULL,NULL,1200000);
INSERT INTO "answer" VALUES(3,'req_00000000000000000000000003',1793620801200000,'att_00000000000000000000000302','answered',200,NULL,4,0,1,NULL,NULL,1200000);
INSERT INTO "answer" VALUES(4,'req_00000000000000000000000004',1793649601200000,'att_00000000000000000000000401','answered',200,NULL,4,0,1,NULL,NULL,1200000);
INSERT INTO "answer" VALUES(5,'req_00000000000000000000000005',1793678401200000,'att_00000000000000000000000501','answered',200,NULL,4,0,1,NULL,NULL,1200000);
INSERT INTO "answer" VALUES(6,'req_00000000000000000000000006',1793707201200000,'att_00000000000000000000000601','answered',200,NULL,4,0,1,NULL,NULL,1200000);
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
	simulated BOOLEAN NOT NULL,
	PRIMARY KEY (seq)
);
INSERT INTO "entry" VALUES(1,'ent_1_1','att_00000000000000000000000101','req_00000000000000000000000001','DISPATCHED',1793563200001000,1793563200000000,1,'answer','finance','key_1','cheap','local/small','local','local','small',NULL,NULL,NULL,9000000,NULL,NULL,0,0,0,0,0,0,0,0,0,0,0,NULL,NULL,0,NULL,NULL,'cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd','finance/extraction,finance/limits',0);
INSERT INTO "entry" VALUES(2,'ent_1_1-SETTLED','att_00000000000000000000000101','req_00000000000000000000000001','SETTLED',1793563201001000,1793563200000000,1,'answer','finance','key_1','cheap','local/small','local','local','small',NULL,NULL,NULL,9000000,1000001,'pri_own',0,0,0,0,0,0,0,0,0,0,0,'stop',NULL,0,NULL,1000000,'cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd','finance/extraction,finance/limits',0);
INSERT INTO "entry" VALUES(3,'ent_2_1','att_00000000000000000000000201','req_00000000000000000000000002','DISPATCHED',1793592000001000,1793592000000000,1,'answer','legal','key_1','cheap','local/small','local','local','small',NULL,NULL,NULL,9000000,NULL,NULL,0,0,0,0,0,0,0,0,0,0,0,NULL,NULL,0,NULL,NULL,'cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd','finance/extraction,finance/limits',0);
INSERT INTO "entry" VALUES(4,'ent_2_1-SETTLED','att_00000000000000000000000201','req_00000000000000000000000002','SETTLED',1793592001001000,1793592000000000,1,'answer','legal','key_1','cheap','local/small','local','local','small',NULL,NULL,NULL,9000000,2000002,'pri_own',0,0,0,0,0,0,0,0,0,0,0,'stop',NULL,0,NULL,1000000,'cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd','finance/extraction,finance/limits',0);
INSERT INTO "entry" VALUES(5,'ent_3_1','att_00000000000000000000000301','req_00000000000000000000000003','DISPATCHED',1793620800001000,1793620800000000,1,'answer','finance','key_1','cheap','local/small','local','local','small',NULL,NULL,NULL,9000000,NULL,NULL,0,0,0,0,0,0,0,0,0,0,0,NULL,NULL,0,NULL,NULL,'cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd','finance/extraction,finance/limits',0);
INSERT INTO "entry" VALUES(6,'ent_3_1-SETTLED','att_00000000000000000000000301','req_00000000000000000000000003','SETTLED',1793620801001000,1793620800000000,1,'answer','finance','key_1','cheap','local/small','local','local','small',NULL,NULL,NULL,9000000,3000003,'pri_own',0,0,0,0,0,0,0,0,0,0,0,'stop',NULL,0,NULL,1000000,'cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd','finance/extraction,finance/limits',0);
INSERT INTO "entry" VALUES(7,'ent_3_2','att_00000000000000000000000302','req_00000000000000000000000003','DISPATCHED',1793620800002000,1793620800000000,2,'fallback','finance','key_1','cheap','hosted/mid','hosted','hosted','mid',NULL,NULL,NULL,9000000,NULL,NULL,0,0,0,0,0,0,0,0,0,0,0,NULL,NULL,0,NULL,NULL,'cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd','finance/extraction,finance/limits',0);
INSERT INTO "entry" VALUES(8,'ent_3_2-SETTLED_ESTIMATED','att_00000000000000000000000302','req_00000000000000000000000003','SETTLED_ESTIMATED',1793620801002000,1793620800000000,2,'fallback','finance','key_1','cheap','hosted/mid','hosted','hosted','mid',NULL,NULL,NULL,9000000,123456789,'pri_own',0,0,0,0,0,0,0,0,0,0,0,'stop',NULL,0,NULL,1000000,'cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd','finance/extraction,finance/limits',0);
INSERT INTO "entry" VALUES(9,'ent_3_2-ADJUST','att_00000000000000000000000302','req_00000000000000000000000003','ADJUST',1793620801002000,1793620800000000,2,'fallback','finance','key_1','cheap','hosted/mid','hosted','hosted','mid',NULL,NULL,NULL,9000000,-456789,'pri_own',0,0,0,0,0,0,0,0,0,0,0,'stop',NULL,0,NULL,1000000,'cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd','finance/extraction,finance/limits',0);
INSERT INTO "entry" VALUES(10,'ent_4_1','att_00000000000000000000000401','req_00000000000000000000000004','DISPATCHED',1793649600001000,1793649600000000,1,'answer','legal','key_1','cheap','local/small','local','local','small',NULL,NULL,NULL,9000000,NULL,NULL,0,0,0,0,0,0,0,0,0,0,0,NULL,NULL,0,NULL,NULL,'cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd','finance/extraction,finance/limits',0);
INSERT INTO "entry" VALUES(11,'ent_4_1-SETTLED','att_00000000000000000000000401','req_00000000000000000000000004','SETTLED',1793649601001000,1793649600000000,1,'answer','legal','key_1','cheap','local/small','local','local','small',NULL,NULL,NULL,9000000,4000004,'pri_own',0,0,0,0,0,0,0,0,0,0,0,'stop',NULL,0,NULL,1000000,'cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd','finance/extraction,finance/limits',0);
INSERT INTO "entry" VALUES(12,'ent_4_2','att_00000000000000000000000402','req_00000000000000000000000004','DISPATCHED',1793649600002000,1793649600000000,2,'fallback','legal','key_1','cheap','hosted/mid','hosted','hosted','mid',NULL,NULL,NULL,9000000,NULL,NULL,0,0,0,0,0,0,0,0,0,0,0,NULL,NULL,0,NULL,NULL,'cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd','finance/extraction,finance/limits',0);
INSERT INTO "entry" VALUES(13,'ent_4_2-POSTED_WORST','att_00000000000000000000000402','req_00000000000000000000000004','POSTED_WORST',1793649601002000,1793649600000000,2,'fallback','legal','key_1','cheap','hosted/mid','hosted','hosted','mid',NULL,NULL,NULL,9000000,9000000,'pri_own',0,0,0,0,0,0,0,0,0,0,0,'stop',NULL,0,NULL,1000000,'cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd','finance/extraction,finance/limits',0);
INSERT INTO "entry" VALUES(14,'ent_5_1','att_00000000000000000000000501','req_00000000000000000000000005','DISPATCHED',1793678400001000,1793678400000000,1,'answer','finance','key_1','cheap','local/small','local','local','small',NULL,NULL,NULL,9000000,NULL,NULL,0,0,0,0,0,0,0,0,0,0,0,NULL,NULL,0,NULL,NULL,'cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd','finance/extraction,finance/limits',0);
INSERT INTO "entry" VALUES(15,'ent_5_1-SETTLED','att_00000000000000000000000501','req_00000000000000000000000005','SETTLED',1793678401001000,1793678400000000,1,'answer','finance','key_1','cheap','local/small','local','local','small',NULL,NULL,NULL,9000000,5000005,'pri_own',0,0,0,0,0,0,0,0,0,0,0,'stop',NULL,0,NULL,1000000,'cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd','finance/extraction,finance/limits',0);
INSERT INTO "entry" VALUES(16,'ent_6_1','att_00000000000000000000000601','req_00000000000000000000000006','DISPATCHED',1793707200001000,1793707200000000,1,'answer','legal','key_1','cheap','local/small','local','local','small',NULL,NULL,NULL,9000000,NULL,NULL,0,0,0,0,0,0,0,0,0,0,0,NULL,NULL,0,NULL,NULL,'cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd','finance/extraction,finance/limits',1);
INSERT INTO "entry" VALUES(17,'ent_6_1-SETTLED','att_00000000000000000000000601','req_00000000000000000000000006','SETTLED',1793707201001000,1793707200000000,1,'answer','legal','key_1','cheap','local/small','local','local','small',NULL,NULL,NULL,9000000,6000006,'pri_own',0,0,0,0,0,0,0,0,0,0,0,'stop',NULL,0,NULL,1000000,'cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd','finance/extraction,finance/limits',1);
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
INSERT INTO "limit_set" VALUES(1,'lim_1','team','finance','month',5000000000,1793534400000000,'steelyard keys create','');
CREATE TABLE opening (
	seq INTEGER NOT NULL,
	at_us BIGINT NOT NULL,
	process_id INTEGER NOT NULL,
	entry_seq BIGINT NOT NULL,
	request_seq BIGINT NOT NULL,
	attempts_posted INTEGER NOT NULL,
	PRIMARY KEY (seq)
);
INSERT INTO "opening" VALUES(1,1793534400000000,77,0,0,0);
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
	simulated BOOLEAN NOT NULL,
	PRIMARY KEY (seq),
	UNIQUE (outcome_id)
);
INSERT INTO "outcome" VALUES(1,'out_1_4','req_00000000000000000000000001','att_00000000000000000000000101',1793563201300000,'gold','gold','','right','','',NULL,NULL,NULL,0,1.0,0);
INSERT INTO "outcome" VALUES(2,'out_2_4','req_00000000000000000000000002','att_00000000000000000000000201',1793592001300000,'gold','gold','','right','','',NULL,NULL,NULL,0,1.0,0);
INSERT INTO "outcome" VALUES(3,'out_3_7','req_00000000000000000000000003','att_00000000000000000000000302',1793620801300000,'gold','gold','','right','','',NULL,NULL,NULL,0,1.0,0);
INSERT INTO "outcome" VALUES(4,'out_4_6','req_00000000000000000000000004','att_00000000000000000000000401',1793649601300000,'gold','gold','','right','','',NULL,NULL,NULL,0,1.0,0);
INSERT INTO "outcome" VALUES(5,'out_5_4','req_00000000000000000000000005','att_00000000000000000000000501',1793678401300000,'gold','gold','','right','','',NULL,NULL,NULL,0,1.0,0);
INSERT INTO "outcome" VALUES(6,'out_6_4','req_00000000000000000000000006','att_00000000000000000000000601',1793707201300000,'gold','gold','','right','','',NULL,NULL,NULL,0,1.0,0);
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
INSERT INTO "price" VALUES(1,'pri_premium','big','standard',0,NULL,NULL,NULL,0,NULL,0,'test','',0,0,0,0,0,0,0,0,0,0,0);
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
	simulated BOOLEAN NOT NULL,
	PRIMARY KEY (seq),
	UNIQUE (request_id)
);
INSERT INTO "request" VALUES(1,'req_00000000000000000000000001',1793563200000000,'finance','key_1','chat.completions','auto','cheap','local/small,hosted/mid','extraction','invoices','abababababababababababababababababababababababababababababababab',NULL,NULL,NULL,0,2,3456,4000,1024,1,9000000,'premium/big','pri_premium',1.0,1,'cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd','finance/extraction,finance/limits',0);
INSERT INTO "request" VALUES(2,'req_00000000000000000000000002',1793592000000000,'legal','key_1','chat.completions','auto','cheap','local/small,hosted/mid','extraction','invoices','abababababababababababababababababababababababababababababababab',NULL,NULL,NULL,0,2,3456,4000,1024,1,9000000,'premium/big','pri_premium',1.0,1,'cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd','finance/extraction,finance/limits',0);
INSERT INTO "request" VALUES(3,'req_00000000000000000000000003',1793620800000000,'finance','key_1','chat.completions','auto','cheap','local/small,hosted/mid','extraction','invoices','abababababababababababababababababababababababababababababababab',NULL,NULL,NULL,0,2,3456,4000,1024,1,9000000,'premium/big','pri_premium',1.0,1,'cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd','finance/extraction,finance/limits',0);
INSERT INTO "request" VALUES(4,'req_00000000000000000000000004',1793649600000000,'legal','key_1','chat.completions','auto','cheap','local/small,hosted/mid','extraction','invoices','abababababababababababababababababababababababababababababababab',NULL,NULL,NULL,0,2,3456,4000,1024,1,9000000,'premium/big','pri_premium',1.0,1,'cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd','finance/extraction,finance/limits',0);
INSERT INTO "request" VALUES(5,'req_00000000000000000000000005',1793678400000000,'finance','key_1','chat.completions','auto','cheap','local/small,hosted/mid','extraction','invoices','abababababababababababababababababababababababababababababababab',NULL,NULL,NULL,0,2,3456,4000,1024,1,9000000,'premium/big','pri_premium',1.0,1,'cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd','finance/extraction,finance/limits',0);
INSERT INTO "request" VALUES(6,'req_00000000000000000000000006',1793707200000000,'legal','key_1','chat.completions','auto','cheap','local/small,hosted/mid','extraction','invoices','abababababababababababababababababababababababababababababababab',NULL,NULL,NULL,0,2,3456,4000,1024,1,9000000,'premium/big','pri_premium',1.0,1,'cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd','finance/extraction,finance/limits',1);
CREATE INDEX ix_entry_request_id ON entry (request_id);
CREATE INDEX ix_entry_window_at_us ON entry (window_at_us);
CREATE UNIQUE INDEX ux_entry_dispatched ON entry (attempt_id) WHERE state = 'DISPATCHED';
CREATE UNIQUE INDEX ux_entry_ended ON entry (attempt_id) WHERE state IN ('SETTLED', 'SETTLED_ESTIMATED', 'VOID', 'POSTED_WORST');
CREATE UNIQUE INDEX ux_entry_adjusted ON entry (entry_id) WHERE state = 'ADJUST';
CREATE INDEX ix_outcome_request_id ON outcome (request_id);
CREATE INDEX ix_request_at_us ON request (at_us);
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
COMMIT;
