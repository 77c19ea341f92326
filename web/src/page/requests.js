// Asks the API. What it refuses is told in its own words.
import { words } from './words.js';

/** A refusal, or no answer at all (status 0). */
export class Refused extends Error {
    /** @param {number} status @param {string} reason */
    constructor(status, reason) {
        super(reason);
        this.status = status;
    }
}

/** @param {string} path @param {unknown} body @returns {Promise<any>} */
export async function post(path, body) {
    let answer;
    try {
        answer = await fetch(path, {
            method: 'POST',
            headers: {
                'Content-Type': 'application/json',
                Accept: 'application/json',
                'X-Requested-With': 'XMLHttpRequest', // so that no browser asks for a password by itself
                ...proofOfPage(),
            },
            body: JSON.stringify(body),
        });
    } catch {
        throw new Refused(0, words.unreachable);
    }
    const told = await answer.json().catch(() => ({}));
    if (!answer.ok) throw new Refused(answer.status, withoutCode(told.reason ?? `${answer.status} ${answer.statusText}`));
    return told;
}

/** What only a page of this server can read, and a session's requests show. */
function proofOfPage() {
    const token = /(?:^|; )__Host-onggi-csrf=([^;]+)/.exec(document.cookie)?.[1];
    return token ? { 'X-CSRF-Token': token } : {};
}

/** @param {string} reason */
function withoutCode(reason) {
    return reason.replace(/^[A-Z]+\d+[A-Z]: /, '');
}
