#!/usr/bin/env node
// Is this webhook from who knows the secret, as it was sent, and not an old one?
//
// Standard Webhooks (standardwebhooks.com), symmetric signatures `v1`.  Only Node's own modules.
//
// As a command: webhook_verify.js ID TIMESTAMP SIGNATURES [NOW] < BODY, with the secret in WEBHOOK_SECRET.  Exit
// status: 0 valid, 1 not (the reason is on stderr), 2 usage.
'use strict';

const crypto = require('crypto');
const fs = require('fs');

const TOLERANCE_S = 300; // how far the clocks of sender and receiver may be apart

// Buffer.from() skips what is not base64: so it is looked at first.
function decode(text) {
    const whole = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(text);

    return whole && text.length > 0 ? Buffer.from(text, 'base64') : null;
}

// null if it is not "whsec_" and base64.
function keyOf(secret) {
    return typeof secret === 'string' && secret.startsWith('whsec_') ? decode(secret.slice('whsec_'.length)) : null;
}

// The three headers as they came (undefined: there was none), and the body as a Buffer as it came, before any
// parser.  "valid", "forged", "stale", "malformed", or "WEBHOOK_SECRET is no secret".
function verify(secret, id, timestamp, signatures, body, now = Date.now() / 1000) {
    const key = keyOf(secret);

    if (key === null)
        return 'WEBHOOK_SECRET is no secret';
    if (!id || !/^[0-9]{1,12}$/.test(timestamp || '') || typeof signatures !== 'string')
        return 'malformed';
    if (!(Math.abs(now - Number(timestamp)) <= TOLERANCE_S)) // a `now` that is no number as well
        return 'stale';
    const ours = crypto.createHmac('sha256', key).update(`${id}.${timestamp}.`).update(body).digest();
    // There may be several: of other schemes, or of two secrets while they change.
    const fits = signatures.split(' ').some((s) => {
        const theirs = s.startsWith('v1,') ? decode(s.slice(3)) : null;

        return theirs !== null && theirs.length === ours.length && crypto.timingSafeEqual(theirs, ours);
    });

    return fits ? 'valid' : 'forged';
}

function main(args) {
    if (args.length !== 3 && args.length !== 4) {
        console.error('usage: webhook_verify.js ID TIMESTAMP SIGNATURES [NOW] < BODY');
        return 2;
    }
    const verdict = verify(process.env.WEBHOOK_SECRET, args[0], args[1], args[2], fs.readFileSync(0),
                           args.length === 4 ? Number(args[3]) : undefined);

    console.error(verdict);
    return verdict === 'valid' ? 0 : verdict.startsWith('WEBHOOK_SECRET') ? 2 : 1;
}

module.exports = { verify };
if (require.main === module)
    process.exitCode = main(process.argv.slice(2));
