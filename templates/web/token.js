(() => {
  const field = document.getElementById('token');
  const take = () => {
    const token = new URLSearchParams(location.hash.slice(1)).get('token');
    if (token) {
      field.value = token;
      history.replaceState(null, '', location.pathname);
    }
    document.getElementById('token-field').hidden = field.value !== '';
  };
  take();
  addEventListener('hashchange', take);
})();
