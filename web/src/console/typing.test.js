import assert from 'node:assert/strict';
import { test } from 'node:test';

import { CODES, LAYOUTS } from './layouts.js';
import { strokesFor } from './typing.js';

/** As one would say it: `Shift+Digit1`. */
function said(text, layout) {
    const { strokes, missing } = strokesFor(text, layout);
    assert.deepEqual(missing, []);
    return strokes.map(({ code, shift, altgr }) => `${shift ? 'Shift+' : ''}${altgr ? 'AltGr+' : ''}${code}`).join(' ');
}

test('a guest sees keys: what they give depends on its layout', () => {
    assert.equal(said('zZ@', 'us'), 'KeyZ Shift+KeyZ Shift+Digit2');
    assert.equal(said('zZ@', 'de'), 'KeyY Shift+KeyY AltGr+KeyQ');
    assert.equal(said('am1', 'fr'), 'KeyQ Semicolon Shift+Digit1');
    assert.equal(said('"@#', 'gb'), 'Shift+Digit2 Shift+Quote Backslash');
});

test('lines end by Enter, whoever wrote them', () => {
    assert.equal(said('a\nb\r\nc\rd\te f', 'us'), 'KeyA Enter KeyB Enter KeyC Enter KeyD Tab KeyE Space KeyF');
});

test('a dead key takes a letter, or Space', () => {
    assert.equal(said('ê', 'de'), 'Backquote KeyE');
    assert.equal(said('^´`', 'de'), 'Backquote Space Equal Space Shift+Equal Space');
    assert.equal(said('ë', 'fr'), 'Shift+BracketLeft KeyE');
    assert.equal(said('e\u0301', 'fr'), 'Digit2', 'however it is written');
});

test('what no key gives is told, and not typed as something else', () => {
    assert.deepEqual(strokesFor('a€本𝄞é€', 'us').missing, ['€', '本', '𝄞', 'é']);
    assert.deepEqual(strokesFor('\u0302', 'de').missing, ['\u0302']);
    assert.deepEqual(strokesFor('\x1b\x00', 'us').missing, ['\x1b', '\x00']);
});

test('every layout has a place for every key, and types all of ASCII', () => {
    const ascii = Array.from({ length: 95 }, (_, at) => String.fromCharCode(32 + at)).join('');
    for (const [layout, { levels }] of Object.entries(LAYOUTS)) {
        for (const level of levels) assert.equal([...level].length, CODES.length, layout);
        assert.deepEqual(strokesFor(ascii, layout).missing, [], layout);
    }
});
