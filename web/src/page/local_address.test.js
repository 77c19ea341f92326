import assert from 'node:assert/strict';
import { test } from 'node:test';

import { localAddress } from './local_address.js';

const here = 'https://host.example:8010';

test('an address of this server is gone to', () => {
    assert.equal(localAddress('/console/web?kind=serial', here, '/docs'), '/console/web?kind=serial');
    assert.equal(localAddress('/console/a%2Fb#x', here, '/docs'), '/console/a%2Fb#x');
});

test('anything else is not', () => {
    for (const wanted of [
        null, '', 'console', '//elsewhere.example', '/\\elsewhere.example', '/\t/elsewhere.example', '\t//elsewhere.example',
        'https://elsewhere.example/', 'javascript:alert(1)', '/..//elsewhere.example', '/.//elsewhere.example', 'data:,x', '//[',
        '/\n/elsewhere.example', '\\\\elsewhere.example', 'https:elsewhere.example',
    ]) assert.equal(localAddress(wanted, here, '/docs'), '/docs', JSON.stringify(wanted));
});
