CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL,
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
CREATE TABLE team (
	name VARCHAR(64) NOT NULL,
	created_at_us INTEGER NOT NULL, closed_at_us INTEGER,
	PRIMARY KEY (name)
);
CREATE TABLE organisation (
	name VARCHAR(128) NOT NULL,
	created_at_us INTEGER NOT NULL,
	PRIMARY KEY (name)
);
CREATE TABLE project (
	team VARCHAR(64) NOT NULL,
	name VARCHAR(64) NOT NULL,
	created_at_us INTEGER NOT NULL,
	closed_at_us INTEGER,
	PRIMARY KEY (team, name),
	FOREIGN KEY(team) REFERENCES team (name)
);
CREATE TABLE member (
	member_id VARCHAR(64) NOT NULL,
	name VARCHAR(128) NOT NULL,
	role VARCHAR(16) NOT NULL,
	team VARCHAR(64),
	created_at_us INTEGER NOT NULL,
	removed_at_us INTEGER,
	PRIMARY KEY (member_id),
	FOREIGN KEY(team) REFERENCES team (name)
);
CREATE TABLE api_key (
	key_id VARCHAR(64) NOT NULL,
	team VARCHAR(64),
	name VARCHAR(128) NOT NULL,
	created_at_us INTEGER NOT NULL,
	revoked_at_us INTEGER,
	project VARCHAR(64),
	member_id VARCHAR(64),
	environment VARCHAR(32),
	models VARCHAR,
	paths VARCHAR,
	expires_at_us INTEGER, draws_on VARCHAR,
	PRIMARY KEY (key_id),
	FOREIGN KEY(team) REFERENCES team (name),
	FOREIGN KEY(member_id) REFERENCES member (member_id)
);
CREATE INDEX ix_api_key_team ON api_key (team);
CREATE TABLE key_secret (
	key_hmac VARCHAR(64) NOT NULL,
	key_id VARCHAR(64) NOT NULL,
	pepper_id VARCHAR(16),
	hint VARCHAR(16) NOT NULL,
	created_at_us INTEGER NOT NULL,
	expires_at_us INTEGER,
	PRIMARY KEY (key_hmac),
	FOREIGN KEY(key_id) REFERENCES api_key (key_id)
);
CREATE INDEX ix_key_secret_key_id ON key_secret (key_id);
CREATE TABLE pending_change (
	change_id VARCHAR(64) NOT NULL,
	fields VARCHAR NOT NULL,
	PRIMARY KEY (change_id)
);
INSERT INTO alembic_version VALUES ('0003');
