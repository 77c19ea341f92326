// The login: a name and a password, and then on to where one wanted to go.
import '../page/page.css';
import './login.css';
import { element } from '../page/elements.js';
import { localAddress } from '../page/local_address.js';
import { post } from '../page/requests.js';
import { words } from '../page/words.js';

const AFTERWARDS = '/docs';

const name = element('input', { id: 'username', name: 'username', autocomplete: 'username', required: true, maxlength: '256' });
const password = element('input', {
    id: 'password', name: 'password', type: 'password', autocomplete: 'current-password', required: true, maxlength: '4096',
});
const submit = element('button', { class: 'first' }, words.login);
const told = element('p', { role: 'alert', class: 'problem' });

const form = element(
    'form', { submit: logIn },
    element('label', { for: 'username' }, words.username), name,
    element('label', { for: 'password' }, words.password), password,
    submit, told,
);

/** @param {SubmitEvent} event */
async function logIn(event) {
    event.preventDefault();
    submit.disabled = true;
    told.textContent = '';
    try {
        await post('/login', { username: name.value, password: password.value });
        const wanted = new URLSearchParams(location.search).get('next');
        location.replace(localAddress(wanted, location.origin, AFTERWARDS));
    } catch (problem) {
        told.textContent = problem.message;
        password.value = '';
        password.focus();
    } finally {
        submit.disabled = false;
    }
}

document.title = `${words.login} – onggi`;
document.body.append(element('main', { class: 'login' }, element('h1', {}, words.login), form));
name.focus();
