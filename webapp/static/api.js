// Shows the API's description with our own copy of Swagger UI. Nothing is fetched from elsewhere, no token is remembered.
(() => {
  const place = document.getElementById("api");
  window.SwaggerUIBundle({
    domNode: place,
    url: place.dataset.description,
    deepLinking: false,
    validatorUrl: null,
    persistAuthorization: false,
    queryConfigEnabled: false,
  });
})();
