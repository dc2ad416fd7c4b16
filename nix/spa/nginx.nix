# The nginx configuration of the container image. Equivalent to the options in
# nixos/services/spa.nix, but for a server that does not run as root.
{
  nginx,
  spa,
  writeText,
}:
writeText "nginx.conf" ''
  daemon off;
  pid /tmp/nginx.pid;
  error_log stderr;

  events {
  }

  http {
    include ${nginx}/conf/mime.types;
    default_type application/octet-stream;
    access_log off;

    client_body_temp_path /tmp/client_body;
    proxy_temp_path /tmp/proxy;
    fastcgi_temp_path /tmp/fastcgi;
    uwsgi_temp_path /tmp/uwsgi;
    scgi_temp_path /tmp/scgi;

    gzip on;
    gzip_vary on;
    gzip_min_length 256;
    gzip_types text/css text/javascript application/javascript image/svg+xml;

    server {
      listen 8080;
      root ${spa};

      location / {
        try_files $uri $uri/ /index.html;
      }
      location = /index.html {
        add_header Cache-Control "no-cache";
      }
      location /assets/ {
        try_files $uri =404;
        add_header Cache-Control "public, max-age=31536000, immutable";
      }
    }
  }
''
