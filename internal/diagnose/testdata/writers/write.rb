# Reads documents in base64, one a line, and writes for each a line of its spellings in base64.
require "json"

STDIN.each_line do |line|
  text = line.unpack1("m").force_encoding("UTF-8")
  out = begin
    value = JSON.parse(text)
    [JSON.generate(value), JSON.pretty_generate(value)].map { |t| [t].pack("m0") }
  rescue JSON::JSONError, ArgumentError
    [] # a lone surrogate, a number too large
  end
  puts out.join(" ")
end
