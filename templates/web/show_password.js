(() => {
  const box = document.getElementById('show-password');
  const fields = document.querySelectorAll('input[autocomplete="new-password"]');
  const apply = () => fields.forEach((field) => { field.type = box.checked ? 'text' : 'password'; });
  box.checked = false;
  box.parentElement.hidden = false;
  box.addEventListener('change', apply);
  // A password that is sent as text would be offered again by the browser's form history.
  box.form.addEventListener('submit', () => { box.checked = false; apply(); });
})();
